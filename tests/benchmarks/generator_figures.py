"""What a bench measures of every generator alone, on the validation requests of the home in SEGUE_HOME.

    SEGUE_HOME=FOLDER python -m tests.benchmarks.generator_figures --requests 2000

Belongs here: fitting, asking and judging single generators on a home whose history is built; the last line
printed is a JSON list, a row a generator. Does not belong here: how such a home comes about
(bench_generators).
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np

from ml.candidates.generator import Candidates, FitInput, Generator
from ml.candidates.merge import merge
from ml.candidates.plan import PLAN, depths
from ml.candidates.recall import recall_table
from ml.candidates.top import stack
from ml.embeddings.encoder import EncoderConfig
from ml.evaluation.metrics import Lists, Truth, per_request
from ml.evaluation.splits import label_windows
from ml.ranking.labels import RELEVANT_GRADE, LabelledRequests
from ml.ranking.run import TrainingRun, begin_run
from ml.ranking.steps import cut_vectors, fit_encoder, run_encoder, write_documents, write_vectors
from ml.ranking.training import Sampling, TrainingPlan, fit_input, label_day
from ml.state.log import Log
from ml.state.read import read_state
from ml.state.read_log import days_with_listens, read_log
from ml.state.requests import Requests
from ml.state.state import State
from orchestration.resources import WarehouseResource
from orchestration.settings import Settings, load_settings, prepare_process
from orchestration.warehouse_facts import built_until

BATCH, SINGLE, SEED = 500, 40, 7
SPLIT = "validation"
T = TypeVar("T")


def planned(
    connection: duckdb.DuckDBPyConnection, settings: Settings, folder: Path, requests: int
) -> TrainingRun:
    """A run of its own in `folder`, with text vectors as training makes them; the home stays as it is."""
    built = built_until(connection)
    as_of = min(built.values())
    windows = label_windows(days_with_listens(connection, as_of), as_of)
    sampling = Sampling(validation_requests=requests)
    run = begin_run(folder, TrainingPlan(as_of, windows, SEED, sampling))
    write_documents(connection, run)
    config = EncoderConfig(name=settings.encoder, seed=SEED)
    fit_encoder(connection, run, config)
    write_vectors(run, run_encoder(run, config), None)
    return run


def blocks(requests: Requests, size: int) -> Iterator[Requests]:
    """The requests, `size` at a time."""
    for start in range(0, len(requests), size):
        stop = min(start + size, len(requests))
        yield requests.select(np.arange(start, stop, dtype=np.int64))


def spent(work: Callable[[], T]) -> tuple[T, float, float]:
    """(what `work` returns, wall seconds, processor seconds of all threads)."""
    began, used = time.perf_counter(), time.process_time()
    made = work()
    return made, time.perf_counter() - began, time.process_time() - used


def asked(
    generator: Generator, requests: Requests, state: State, k: int
) -> tuple[Candidates, dict[str, float]]:
    """Lists of all requests; ms a request in batches of 500, and of one request by itself (the median)."""

    def answers(size: int, asks: Requests) -> list[Candidates]:
        return [generator.generate(block, state, k) for block in blocks(asks, size)]

    few = requests.select(np.arange(min(SINGLE, len(requests)), dtype=np.int64))
    # The first request of a process pays for imports and caches that no later one sees.
    answers(1, few.select(np.zeros(1, dtype=np.int64)))
    parts, wall, cpu = spent(lambda: answers(BATCH, requests))
    alone = [spent(lambda one=one: answers(1, one))[1] for one in blocks(few, 1)]
    each = 1_000 / len(requests)
    costs = {"batch ms": wall * each, "CPU ms": cpu * each, "single ms": 1_000 * np.median(alone)}
    return stack(parts, list(range(0, len(requests), BATCH))), costs


def relevant(labelled: LabelledRequests, surface: str) -> Truth:
    """What the surface calls a hit."""
    kept = labelled.grade >= RELEVANT_GRADE[surface]
    columns = (labelled.request[kept], labelled.track[kept], labelled.grade[kept])
    return Truth(*columns, len(labelled.requests))


def judged(found: Candidates, truth: Truth) -> dict[str, float]:
    """P@20 (the share of the first 20 that were hits), HR@20 and NDCG@10, means over requests."""
    lists = Lists(found.request, found.track, found.rank)
    at_20, at_10 = per_request(lists, truth, 20), per_request(lists, truth, 10)
    means = {"P@20": at_20["precision"], "HR@20": at_20["hit_rate"], "NDCG@10": at_10["ndcg"]}
    return {name: float(np.nanmean(values)) for name, values in means.items()}


def surface_rows(
    surface: str, data: FitInput, labelled: LabelledRequests
) -> list[dict[str, object]]:
    """A row a generator of the surface's plan, fitted by itself, asked to its own depth."""
    truth, depth = relevant(labelled, surface), depths(surface)
    rows, lists = [], {}
    for generator, k in PLAN[surface]:
        # Nothing shared: the whole cost is its own.
        own = replace(data, _made={})
        fitted, wall, cpu = spent(lambda generator=generator, own=own: generator.fit(own))
        found, costs = asked(fitted, labelled.requests, data.state, k)
        lists[generator.name] = found
        size = sum(array.nbytes for array in fitted.arrays().values()) / 1e6
        costs |= {"fit s": wall, "fit CPU s": cpu, "MB": size}
        name = {"surface": surface, "generator": generator.name, "depth": k}
        rows.append(name | judged(found, truth) | costs)
    pool = merge(lists, depth)
    table = recall_table(
        pool, truth.request, truth.track, requests=len(labelled.requests), most=depth
    ).to_pylist()
    for row, recall in zip(rows, table, strict=False):
        row |= {name: recall[name] for name in ("candidates", "recall", "marginal")}
    whole = {"surface": surface, "generator": "union", "requests": len(labelled.requests)}
    return [*rows, whole | {name: table[-1][name] for name in ("candidates", "recall")}]


def measured(settings: Settings, requests: int) -> list[dict[str, object]]:
    """Rows of both surfaces: fitted before the first validation day, asked by its requests."""
    with WarehouseResource().reader() as connection, tempfile.TemporaryDirectory() as folder:
        run = planned(connection, settings, Path(folder), requests)
        final = read_state(connection, run.plan.as_of)
        log: Log = read_log(connection, final)
        state = read_state(connection, run.plan.cut(SPLIT))
        data = fit_input(state, log, cut_vectors(run, SPLIT), SEED)
    rows = []
    for surface in PLAN:
        labelled = label_day(surface, SPLIT, run.plan, log, final.user_ids, state)
        if len(labelled.requests):
            rows += surface_rows(surface, data, labelled)
    return rows


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=2_000, help="at most, of each surface")
    options = parser.parse_args()
    settings = load_settings()
    prepare_process(settings)
    print(json.dumps(measured(settings, options.requests)))  # noqa: T201


if __name__ == "__main__":
    main()
