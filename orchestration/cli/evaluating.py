"""`segue evaluate`: the latest training's comparison in the terminal.

Belongs here: printing stored figures and naming the step that fits the home. Does not belong here: judging
(ml.ranking.verdicts) or the page (ml.ranking.report).
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ml.evaluation.table import RESAMPLES
from ml.ranking.judging import RANKER
from ml.ranking.report import PAGE, verdicts_of
from ml.ranking.report_rows import chance
from ml.ranking.run import TrainingRun, current_run
from ml.ranking.verdicts import COMPARISON, NEW_ONLY, read_findings
from monitoring.review import open_reports
from orchestration.cli.console import console, show, then
from orchestration.days import next_day
from orchestration.home import SIMULATED, read_home
from orchestration.resources import RegistryResource
from orchestration.settings import Settings, load_settings, prepare_process

ADVANTAGE = (
    "Advantage: what serves (segue) minus the model, NDCG@10, 95 % paired bootstrap by listener; p: "
    f"Holm-adjusted over the models, {RESAMPLES:,} resamples."
)


def print_evaluation() -> None:
    """The comparison of the latest training, a table a surface, seen tracks allowed and new ones only."""
    settings = load_settings()
    run = current_run(settings.training)
    findings = read_findings(run)
    show_comparison(findings[COMPARISON], f"as of {run.plan.as_of}")
    if NEW_ONLY in findings:
        new = findings[NEW_ONLY]
        show_comparison(new.filter(pc.greater(new["users"], 0)), "tracks never played before only")
    console.print(ADVANTAGE + "\n")
    for verdict in verdicts_of(run).values():
        console.print(f"[bold]{verdict.claim}[/]")
    page = run.evaluation / PAGE
    if page.is_file():
        console.print(f"By slice, day by day, what the rankers rest on: {page}", soft_wrap=True)
    then(next_step(settings, run, datetime.now(UTC)))


def next_step(settings: Settings, run: TrainingRun, now: datetime) -> str:
    """The command that fits a home whose latest training is `run`."""
    if not (run.evaluation / "decision.json").is_file():
        return "segue run train (the latest training ended before the gate decided)"
    prepare_process(settings)
    home = read_home(settings)
    serves = RegistryResource().open().champion() is not None
    coming = next_day(settings, home, now).day if serves else None
    waiting = bool(open_reports(settings.reports))
    return step_after(home.source.kind, serves=serves, coming=coming, waiting=waiting)


def step_after(kind: str, *, serves: bool, coming: date | None, waiting: bool) -> str:
    """The next step of a home of a `kind` after the gate's decision: whether a model serves, the day that
    may be lived, whether reports wait for a person."""
    if not serves and kind == SIMULATED:
        return "segue simulate a longer or larger world in a new SEGUE_HOME (no model serves here)"
    if not serves:
        return (
            "segue import more days, then segue run train (no model serves yet; segue recommend answers "
            "a file of requests with this one)"
        )
    if coming is not None:
        return "segue run daily"
    return "segue review" if waiting else "segue ui"


def show_comparison(table: pa.Table, title: str) -> None:
    """NDCG with interval, recall and hit rate of every model; the advantage of what serves, and its p."""
    for surface in table["surface"].unique().to_pylist():
        rows = table.filter(pc.equal(table["surface"], surface)).to_pylist()
        models: dict[str, dict[str, dict[str, float]]] = {}
        for row in rows:
            models.setdefault(row["model"], {})[row["metric"]] = row
        shown = [
            [
                f"[bold]{name}[/]" if name == RANKER else name,
                _interval(found["ndcg@10"], "mean", "low", "high"),
                f"{found['recall@20']['mean']:.3f}",
                f"{found['hit_rate@10']['mean']:.3f}",
                _interval(found["ndcg@10"], "advantage", "advantage_low", "advantage_high"),
                chance(found["ndcg@10"]["advantage_p"]),
            ]
            for name, found in models.items()
        ]
        header = ["model", "NDCG@10", "R@20", "HR@10", "advantage", "p"]
        show(f"{surface}, {title}", header, shown)


def _interval(row: Mapping[str, float], mean: str, low: str, high: str) -> str:
    if np.isnan(row[mean]):
        return ""
    return f"{row[mean]:.3f} [{row[low]:.3f}, {row[high]:.3f}]"
