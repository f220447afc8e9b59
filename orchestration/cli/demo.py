"""`segue demo`: a recommender's life in one command.

Belongs here: the order of the runs and the summary. Does not belong here: jobs (orchestration.jobs).
"""

import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from ml.errors import SegueError
from ml.lake.store import Lake
from ml.ranking.judging import RANKER
from ml.ranking.order import read_choice
from ml.ranking.run import current_run
from ml.tables import RECOMMENDED_SURFACES
from monitoring.areas import AREAS
from monitoring.reports import read_reports
from orchestration.beginning import World, begin_imported, begin_simulated
from orchestration.cli.beginnings import named_or_recognised, options_of, show_report
from orchestration.cli.console import console, show, then, working
from orchestration.cli.evaluating import ADVANTAGE, show_comparison
from orchestration.cli.jobs import bootstrap, train
from orchestration.days import lived_days
from orchestration.home import Home, read_home, write_home
from orchestration.resources import RegistryResource, WarehouseResource
from orchestration.running import Launch, execute
from orchestration.settings import Settings, load_settings, prepare_process
from orchestration.warehouse_facts import built_until

LIVED_DAYS = 7
_COLOURS = {"act": "red", "watch": "yellow", "ok": "green"}


def demo_world(world: World) -> None:
    """The demo on a simulated world: bootstrap, train, seven days with an incident."""
    settings = load_settings()
    began = time.monotonic()
    home = begin_simulated(settings, world)
    first = home.bootstrap_end + timedelta(days=1)
    days = [first + timedelta(days=number) for number in range(LIVED_DAYS)]
    if world.incident:
        console.print(f"From {home.source.incident_day} on, {world.incident} will go wrong.")
    _live(settings, days, began)


def demo_data(path: Path, name: str, pairs: list[str]) -> None:
    """The demo on real data: its last days with listens are lived, the others are history.

    Raises:
        SegueError: nothing to import there, or fewer than three days with listens.
    """
    settings = load_settings()
    began = time.monotonic()
    name = named_or_recognised(name, path)
    with working(f"importing {path}"):
        report = begin_imported(settings, name, path, options_of(pairs))
    show_report(report)
    held = Lake(settings.home).days("listens")
    lived = min(LIVED_DAYS, len(held) // 3)
    if not lived:
        raise SegueError(f"expected at least three days with listens, found {len(held)} in {path}")
    write_home(settings, replace(read_home(settings), history_end=held[-lived - 1]))
    _live(settings, held[-lived:], began)


def _live(settings: Settings, days: list[date], began: float) -> None:
    prepare_process(settings)
    home = read_home(settings)
    end = home.after(home.bootstrap_end)
    # A demo that was stopped goes on where it stood.
    built = WarehouseResource().ask(built_until, default={})
    if min(built.values(), default=end - timedelta(days=1)) < end:
        bootstrap(settings)
    train(settings, end)
    champion = RegistryResource().open().champion()
    lived = days if champion else []
    for day in sorted(set(lived) - set(lived_days(settings))):
        with working(f"daily {day}"):
            execute(settings, Launch("daily", day, day))
    summary(settings, read_home(settings), champion, lived)
    console.print(f"\n{2 + len(lived)} runs in {time.monotonic() - began:.0f} s.")
    then("make ui, or segue review" if champion else "segue evaluate, or import more days")


def summary(settings: Settings, home: Home, champion: str | None, days: list[date]) -> None:
    """The metric table, the champion, the verdict per day and area, where to read on."""
    run = current_run(settings.training)
    console.rule("[bold]Segue")
    show_comparison(pq.read_table(run.evaluation / "comparison.parquet"), f"as of {run.plan.as_of}")
    console.print(ADVANTAGE)
    if champion:
        console.print(f"\nChampion [bold]{champion}[/]: passed the gate and serves.")
        for surface in RECOMMENDED_SURFACES:
            serves = read_choice(run.choice(surface)).serves
            by = "the ranker" if serves == RANKER else f"{serves}: no ranker is shown to be better"
            console.print(f"{surface}: {by}")
        console.print()
    else:
        console.print("\n[yellow]No champion[/]: the gate did not let the model serve:")
        console.print((run.evaluation / "decision.json").read_text())
    for limit in home.limits:
        console.print(f"[yellow]limit of the data[/] {limit}")
    if days:
        _verdicts(settings, days)


def _verdicts(settings: Settings, days: list[date]) -> None:
    found = {(one.day, one.area): one for one in read_reports(settings.reports)}
    rows, reasons = [], []
    for day in days:
        cells = []
        for area in AREAS:
            report = found.get((day, area))
            word = report.verdict.value if report else "none"
            cells.append(f"[{_COLOURS.get(word, 'dim')}]{word}[/]")
        worst = max(
            (one for (on, _), one in found.items() if on == day),
            key=lambda one: one.verdict.rank,
            default=None,
        )
        if worst and worst.verdict.rank and worst.reasons:
            colour = _COLOURS[worst.verdict.value]
            reasons.append(f"[{colour}]{day} {worst.area}[/]: {worst.reasons[0]}")
        rows.append([day.isoformat(), *cells])
    header = ["day", "data", "features", "embeddings", "scores", "ranking"]
    show("Monitoring", header, rows)
    for line in reasons:
        console.print(line, soft_wrap=True)
    console.print(f"Reports: {settings.reports}/day=*/*.html")
