"""`segue doctor`.

Belongs here: looking at a home and naming the command that mends what is wrong. Does not belong here:
mending.
"""

import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import version

from ml.errors import SegueError
from ml.lake.damage import find_damaged, still_missing
from ml.lake.store import Lake
from ml.registry.bundle import verify_bundle
from ml.registry.pointer import heal_pointer
from ml.state.publish import load_state, state_days, state_folder
from monitoring.review import open_reports
from orchestration.cli.console import show, then
from orchestration.days import recommended_days
from orchestration.home import read_home
from orchestration.notify import waiting
from orchestration.receiving import mended_by
from orchestration.resources import RegistryResource, WarehouseResource
from orchestration.settings import Settings, load_settings, prepare_process
from orchestration.unserved import advice
from orchestration.warehouse_facts import built_until

_GIGABYTE = 1_000_000_000
_LEAST_FREE = 2 * _GIGABYTE


def examine() -> None:
    """Print what the home holds; problems come with the command that mends them.

    Raises:
        SegueError: something is wrong, so that cron and scripts see it.
    """
    settings = load_settings()
    home = read_home(settings)
    prepare_process(settings)
    rows = [
        ["home", "ok", f"{settings.home}: {home.source.kind}, {home.first_day} to {home.last_day}"]
    ]
    for name, question in (
        ("machine", _machine),
        ("lake", lake_is_whole),
        ("warehouse", _warehouse),
        ("champion", _champion),
        ("state", _state),
        ("lists", _lists),
        ("reports", _reports),
        ("alerts", _alerts),
    ):
        try:
            rows += [[name, "ok", text] for text in question(settings)]
        except SegueError as error:
            rows.append([name, "[red]wrong[/]", str(error)])
    show("segue doctor", ["part", "", "found"], rows)
    wrong = [row for row in rows if row[1] != "ok"]
    if wrong:
        raise SegueError(f"{len(wrong)} parts need attention; the table names the command of each")
    then("segue ui")


def _machine(settings: Settings) -> Iterator[str]:
    free = shutil.disk_usage(settings.home).free
    if free < _LEAST_FREE:
        raise SegueError(f"expected 2 GB of free disk, found {free / _GIGABYTE:.1f} GB; make room")
    names = ("dagster", "dbt-core", "duckdb", "xgboost", "torch", "evidently", "mlflow")
    yield f"Python {platform.python_version()}, " + ", ".join(f"{n} {version(n)}" for n in names)


def lake_is_whole(settings: Settings) -> Iterator[str]:
    """What the lake holds, after every page of every file was read.

    Raises:
        SegueError: there are no listens, or a file is damaged; it is left where it is.
    """
    lake = Lake(settings.home)
    days = lake.days("listens")
    if not days:
        raise SegueError(
            "expected listens, found none; run `segue run bootstrap` or `segue import`"
        )
    home = read_home(settings)
    if found := find_damaged(lake):
        names = ", ".join(f"{path.relative_to(settings.home)} ({why})" for *_, path, why in found)
        raise SegueError(f"expected the lake as it was written, found {names}; {mended_by(home)}")
    if missing := still_missing(lake):
        names = ", ".join(one.name for one in missing)
        raise SegueError(f"expected no rows missing, found {names} set aside; {mended_by(home)}")
    yield f"listens on {len(days)} days, {days[0]} to {days[-1]}, every page verified"


def _warehouse(settings: Settings) -> Iterator[str]:  # noqa: ARG001
    built = WarehouseResource().ask(built_until, default={})
    if not built:
        raise SegueError("expected built tables, found none; run `segue run bootstrap`")
    yield f"built to {min(built.values())} (excluded)"


def _champion(settings: Settings) -> Iterator[str]:
    registry = RegistryResource().open()
    champion = registry.champion()
    if champion is None:
        raise SegueError(f"expected a champion, found none; {advice(settings.training)}")
    manifest = verify_bundle(settings.bundles / champion)
    heal_pointer(settings.champion_pointer, registry)
    yield f"{champion}, as of {manifest.facts.as_of}, {len(manifest.files)} files verified"


def _state(settings: Settings) -> Iterator[str]:
    days = state_days(settings.states)
    if not days:
        raise SegueError("expected a published state, found none; run `segue run train`")
    load_state(state_folder(settings.states, days[-1]), verify=True)
    yield f"{len(days)} days, the last {days[-1]} verified"


def _lists(settings: Settings) -> Iterator[str]:
    days = recommended_days(settings)
    yield f"{len(days)} days" + (f", the last {days[-1]}" if days else ": run `segue run daily`")


def _reports(settings: Settings) -> Iterator[str]:
    yield f"{len(open_reports(settings.reports))} open: `segue review` lists them"


def _alerts(settings: Settings) -> Iterator[str]:
    if left := waiting(settings):
        raise SegueError(
            f"expected every alert to be sent, {left} alerts were not sent: `segue doctor --alert`"
        )
    yield "every alert was sent or recorded"
