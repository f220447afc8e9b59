"""`segue benchmark`: published tasks through the ordinary commands, timed.

Belongs here: running import, train and recommend as a user would, each in a process of its own.
Does not belong here: how data sets are cut (ml.benchmark.cases) or scored (ml.benchmark.scoring).
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ml.benchmark.cases import CASES, Case
from ml.benchmark.scoring import METRICS, SEGUE, Score, scores
from ml.benchmark.singles import single_lists
from ml.errors import SegueError
from ml.serving.requests_file import read_requests
from ml.serving.saved import load_recommender
from orchestration.cli.answers import answering_bundle, state_before
from orchestration.cli.console import console, show, then, working
from orchestration.resources import WarehouseResource
from orchestration.settings import (
    REPOSITORY,
    Settings,
    environment_of,
    load_settings,
    prepare_process,
)
from orchestration.warehouse_facts import built_until

DATA = REPOSITORY.parent / "shared" / "data"
_SEGUE = (sys.executable, "-c", "from orchestration.cli.main import main; main()")
_SEED = 7
_LIST = 20


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds and peak megabytes of one command."""

    seconds: float
    megabytes: float


def _segue(home: Path, arguments: Sequence[str]) -> Cost:
    """Run a `segue` command on a home.

    Raises:
        SegueError: it failed; its own words follow.
    """
    command = [*_SEGUE, *arguments]
    log = home.with_name(f"{home.name}.log")
    began = time.monotonic()
    with log.open("ab") as file:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdout=file,
            stderr=file,
            cwd=REPOSITORY,
            env=environment_of(home),
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        words = log.read_text(errors="replace").strip().splitlines()[-12:]
        raise SegueError(f"`segue {' '.join(arguments)}` failed:\n" + "\n".join(words))
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Cost(time.monotonic() - began, usage.ru_maxrss / unit)


def run_benchmark(name: str, data: Path | None, validation: bool) -> None:
    """One data set, or `all` of them."""
    if name != "all" and name not in CASES:
        raise SegueError(f"expected a data set of {', '.join(CASES)} or all, found {name!r}")
    settings = load_settings()
    if settings.has_mlflow_server:
        raise SegueError(
            "expected models of a benchmark to stay in its own home, found SEGUE_MLFLOW_URI; unset it"
        )
    if name == "all":
        # A process each: a child's peak memory begins at that of its parent (ru_maxrss on Linux).
        for each in CASES:
            _alone(each, data, validation)
        return
    # Scoring moves this process to the benchmark's home: the place is settled before.
    _benchmark(name, data or DATA, settings.home / "benchmarks", validation)
    then("segue benchmark all")


def _alone(name: str, data: Path | None, validation: bool) -> None:
    folder = ["--data", str(data)] if data else []
    arguments = [name, *folder, *(["--validation"] if validation else [])]
    done = subprocess.run([*_SEGUE, "benchmark", *arguments], check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise SegueError(
            f"the benchmark {name} ended with {done.returncode}; its lines above say why"
        )


def _benchmark(name: str, data: Path, root: Path, validation: bool) -> None:
    folder = data / name if (data / name).is_dir() else data
    target = root / name / ("validation" if validation else "test")
    shutil.rmtree(target, ignore_errors=True)
    with working(f"{name}: preparing"):
        case = CASES[name](folder, target, validation=validation)
        if not len(pq.read_table(case.requests)):
            raise SegueError(f"expected requests after the cut of {folder}, found none; look at it")
    home = target / "home"
    with working(f"{name}: importing"):
        imported = _segue(home, ["import", case.format, str(_history(case))])
    with working(f"{name}: training"):
        trained = _segue(home, ["run", "train"])
    lists = target / "lists.parquet"
    asked = ["recommend", "--requests", str(case.requests), "--out", str(lists)]
    with working(f"{name}: answering"):
        answered = _segue(home, asked + (["--exclude-heard"] if case.exclude_heard else []))
    with working(f"{name}: scoring every generator"):
        rows = _scored(Settings(home), case, lists)
    _show(case, rows)
    _show_costs(len(pq.read_table(case.requests)), imported, trained, answered)


def _history(case: Case) -> Path:
    files = sorted(case.history.glob("*.parquet"))
    return files[0] if len(files) == 1 else case.history


def _scored(settings: Settings, case: Case, lists: Path) -> list[Score]:
    requests = read_requests(case.requests)
    prepare_process(settings)
    bundle = answering_bundle(settings)
    day = requests["at"][0].as_py().date()
    built = WarehouseResource().ask(built_until, default={})
    state = state_before(settings, day, built).on(day)
    recommender = load_recommender(bundle, bundle.name, state)
    found: dict[str, pa.Table] = {SEGUE: pq.read_table(lists)}
    found |= single_lists(
        recommender,
        recommender.surfaces[case.surface].sources.generators,
        requests,
        case.surface,
        _LIST,
        exclude_heard=case.exclude_heard,
    )
    return scores(requests, pq.read_table(case.truth), found, seed=_SEED)


def _show(case: Case, rows: Sequence[Score]) -> None:
    header = ["model", *(name for name, _, _ in METRICS), "Segue's advantage in NDCG@20"]
    body = [
        [
            row.model,
            *(f"{row.values[name].mean:.4f}" for name, _, _ in METRICS),
            row.advantages["NDCG@20"].text()
            if row.advantages
            else f"itself: {row.values['NDCG@20'].text()}",
        ]
        for row in rows
    ]
    show(f"{case.name}: {case.protocol}", header, body)


def _show_costs(requests: int, imported: Cost, trained: Cost, answered: Cost) -> None:
    steps = {"import": imported, "history, training, gate": trained, "answers": answered}
    body = [
        [name, f"{cost.seconds:.0f} s", f"{cost.megabytes:,.0f} MB"] for name, cost in steps.items()
    ]
    body[2][0] += f", {1000 * answered.seconds / requests:.2f} ms a request with the start"
    show("Cost", ["step", "time", "peak memory"], body)
    console.print(f"{os.cpu_count()} cores, seed {_SEED}, 95 % paired bootstrap by listener.")
