"""`segue benchmark`: published tasks through the ordinary commands, timed.

Belongs here: running import, train and recommend as a user would, each in a process of its own.
Does not belong here: how data sets are cut (ml.benchmark.cases) or scored (ml.benchmark.scoring).
"""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ml.benchmark.baselines import tuned_lists
from ml.benchmark.cases import CASES, Case, data_set
from ml.benchmark.scoring import METRICS, Score, scores
from ml.benchmark.scoring import SEGUE as SEGUE_MODEL
from ml.benchmark.singles import single_lists
from ml.errors import SegueError
from ml.serving.requests_file import read_requests
from ml.serving.saved import load_recommender
from orchestration.cli.answers import answering_bundle, state_before
from orchestration.cli.benchmark_extras import answered_extras, show_extras
from orchestration.cli.benchmark_homes import RADIO, SIMULATOR, run_home
from orchestration.cli.commands import SEED, SEGUE, segue, show_costs
from orchestration.cli.console import show, then, working
from orchestration.resources import WarehouseResource
from orchestration.settings import REPOSITORY, Settings, load_settings, prepare_process
from orchestration.warehouse_facts import built_until

DATA = REPOSITORY.parent / "shared" / "data"
_LIST = 20


def run_benchmark(name: str, data: Path | None, validation: bool, extras: Path | None) -> None:
    """One data set, or `all` of them; `extras` is the Python that runs RecTools' baselines, if they are wanted.

    Raises:
        SegueError: a shared MLflow server, or `validation` or `extras` for data that has no cut of its own.
    """
    settings = load_settings()
    if settings.has_mlflow_server:
        raise SegueError(
            "expected models of a benchmark to stay in its own home, found SEGUE_MLFLOW_URI; unset it"
        )
    if name == "all":
        # A process each: a child's peak memory begins at that of its parent (ru_maxrss on Linux).
        for each in (*CASES, *(() if validation else (RADIO, SIMULATOR))):
            _alone(each, data, validation, extras if each in CASES else None)
        return
    # Scoring moves this process to the benchmark's home: the place is settled before.
    root = settings.home / "benchmarks"
    if name in CASES:
        _benchmark(name, data or DATA, root, validation, extras)
    else:
        _refuse_options_of_cases(name, validation, extras)
        run_home(name, data or DATA, root)
    then("segue benchmark all")


def _refuse_options_of_cases(name: str, validation: bool, extras: Path | None) -> None:
    cases = ", ".join(CASES)
    if validation:
        raise SegueError(
            f"expected --validation with one of {cases}, found {name!r}: other data is judged "
            "on its last days, and the days before them are its validation; leave the option out"
        )
    if extras:
        raise SegueError(
            f"expected --extras with one of {cases}, found {name!r}: other data is judged on its last days "
            "by the training itself, without baselines of other libraries; leave the option out"
        )


def _alone(name: str, data: Path | None, validation: bool, extras: Path | None) -> None:
    folder = ["--data", str(data)] if data else []
    python = ["--extras-python", str(extras)] if extras else []
    arguments = [name, *folder, *python, *(["--validation"] if validation else [])]
    done = subprocess.run([*SEGUE, "benchmark", *arguments], check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise SegueError(
            f"the benchmark {name} ended with {done.returncode}; its lines above say why"
        )


def _benchmark(name: str, data: Path, root: Path, validation: bool, python: Path | None) -> None:
    own = data / data_set(name)
    folder = own if own.is_dir() else data
    target = root / name / ("validation" if validation else "test")
    case = _prepared(name, folder, target, validation)
    home = target / "home"
    with working(f"{name}: importing"):
        imported = segue(home, ["import", case.format, str(_history(case))])
    with working(f"{name}: training"):
        trained = segue(home, ["run", "train", "--horizon", str(case.horizon)])
    lists = target / "lists.parquet"
    asked = ["recommend", "--requests", str(case.requests), "--out", str(lists)]
    with working(f"{name}: answering"):
        answered = segue(home, asked + (["--exclude-heard"] if case.exclude_heard else []))
    with working(f"{name}: tuning the baselines on the part before"):
        # A validation run has no part before it: there the baselines are chosen on what they are scored by.
        earlier = case if validation else CASES[name](folder, target / "earlier", validation=True)
        found = dict(tuned_lists(case, earlier, _LIST, seed=SEED))
    extras = answered_extras(case, earlier, _LIST, python)
    with working(f"{name}: scoring every model"):
        found |= {one.name: one.lists for one in extras}
        rows = _scored(Settings(home), case, lists, found)
    _show(case, rows)
    show_extras(case, extras)
    each = 1000 * answered.seconds / len(pq.read_table(case.requests))
    show_costs(
        {
            "import": imported,
            "history, training, gate": trained,
            f"answers, {each:.2f} ms a request with the start": answered,
        }
    )


def _prepared(name: str, folder: Path, target: Path, validation: bool) -> Case:
    shutil.rmtree(target, ignore_errors=True)
    with working(f"{name}: preparing"):
        case = CASES[name](folder, target, validation=validation)
        if not len(pq.read_table(case.requests)):
            raise SegueError(f"expected requests after the cut of {folder}, found none; look at it")
    return case


def _history(case: Case) -> Path:
    files = sorted(case.history.glob("*.parquet"))
    return files[0] if len(files) == 1 else case.history


def _scored(
    settings: Settings, case: Case, lists: Path, baselines: Mapping[str, pa.Table]
) -> list[Score]:
    requests = read_requests(case.requests)
    prepare_process(settings)
    bundle = answering_bundle(settings)
    day = requests["at"][0].as_py().date()
    built = WarehouseResource().ask(built_until, default={})
    state = state_before(settings, day, built).on(day)
    recommender = load_recommender(bundle, bundle.name, state)
    found = {SEGUE_MODEL: pq.read_table(lists), **baselines}
    found |= single_lists(
        recommender,
        recommender.surfaces[case.surface].sources.generators,
        requests,
        case.surface,
        _LIST,
        exclude_heard=case.exclude_heard,
    )
    return scores(requests, pq.read_table(case.truth), found, seed=SEED)


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
