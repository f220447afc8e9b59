"""A stored training run of forty listeners and twelve tracks whose truth is known.

Belongs here: examples by formula. Does not belong here: tests.

Every listener is asked for once a day. `repeat_memory` proposes all candidates in an order drawn for each
request, `popularity` in one order for everybody. The feature `listener_track_share` is 1 for the played
track and noise below .5 for the others: a ranker that uses it is right, and nothing else tells.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ml.evaluation.splits import Windows
from ml.ranking.examples import Examples
from ml.ranking.model import RankerParameters
from ml.ranking.run import TrainingRun, begin_run
from ml.ranking.steps import write_ranker
from ml.ranking.training import SPLITS, Sampling, TrainingPlan
from ml.state.requests import Requests

LISTENERS, TRACKS = 40, 12
AS_OF = date(2026, 3, 12)
DAYS = [AS_OF - timedelta(days=back) for back in range(6, 0, -1)]
PARAMETERS = RankerParameters(rounds=12, learning_rate=0.3, min_child_weight=0.1, threads=1)
SIGNAL = "listener_track_share"


def played(day: int) -> np.ndarray:
    """The track that each listener plays on a day."""
    return ((np.arange(LISTENERS) * 5 + day) % TRACKS).astype(np.int32)


def examples(days: Sequence[int], *, candidates: int = TRACKS) -> Examples:
    """A request a listener and day, with the first `candidates` tracks as candidates."""
    asked = len(days) * LISTENERS
    wanted = np.concatenate([played(day) for day in days]) if days else np.zeros(0, np.int32)
    requests = {
        "request": np.arange(asked, dtype=np.int32),
        "request_id": [f"home-{DAYS[day]}-u{one}" for day in days for one in range(LISTENERS)],
        "listener": np.tile(np.arange(LISTENERS, dtype=np.int32), len(days)),
        "day": pa.array([DAYS[day] for day in days for _ in range(LISTENERS)], pa.date32()),
        "is_known": np.ones(asked, np.bool_),
        "candidates": np.full(asked, candidates, np.int32),
    }
    truth = {
        "request": np.arange(asked, dtype=np.int32),
        "track": wanted,
        "grade": np.full(asked, 2, np.int8),
        "is_repeat": wanted % 2 == 0,
        "is_candidate": wanted < candidates,
    }
    return Examples(_rows(wanted, candidates), pa.table(requests), pa.table(truth))


def _rows(wanted: np.ndarray, candidates: int) -> pa.Table:
    """Ranks, features and grades of each request's candidates; `wanted` is what is played, by request."""
    asked = len(wanted)
    request = np.repeat(np.arange(asked, dtype=np.int32), candidates)
    track = np.tile(np.arange(candidates, dtype=np.int32), asked)
    hit = track == wanted[request]
    noise = np.random.default_rng(5).random((3, len(track)))
    drawn = np.random.default_rng(6).random((asked, candidates)).argsort(axis=1) + 1
    memory = drawn.ravel().astype(np.float32)
    popular = (track + 1).astype(np.float32)
    columns = {
        "request": request,
        "track": track,
        "grade": (2 * hit).astype(np.int8),
        "source_repeat_memory_score": -memory,
        "source_repeat_memory_rank": memory,
        "source_popularity_score": -popular,
        "source_popularity_rank": popular,
        "source_count": np.full(len(track), 2, np.float32),
        "source_fusion": (1 / (60 + memory) + 1 / (60 + popular)).astype(np.float32),
        "source_best": np.minimum(memory, popular),
        SIGNAL: np.where(hit, 1.0, 0.5 * noise[0]).astype(np.float32),
        "track_listeners": noise[1].astype(np.float32),
        "text_cosine": noise[2].astype(np.float32),
    }
    return pa.table(columns)


def requests(at: int = 0, users: int = LISTENERS) -> Requests:
    """A Home request of every listener at the same time."""
    return Requests(
        "home",
        pa.array([f"r{one}" for one in range(users)]),
        pa.array([f"u{one}" for one in range(users)]),
        np.arange(users, dtype=np.int32),
        np.full(users, at, np.int64),
        np.zeros(users + 1, np.int64),
        np.zeros(0, np.int32),
    )


def tiny_run(training: Path, *, trained: bool = True) -> TrainingRun:
    """The run's folder with examples, baselines and (where `trained`) a ranker for home."""
    windows = Windows(tuple(DAYS[:2]), tuple(DAYS[2:4]), tuple(DAYS[4:]))
    run = begin_run(training, TrainingPlan(AS_OF, windows, 7, Sampling()))
    for number, split in enumerate(SPLITS):
        examples([2 * number, 2 * number + 1]).write(run.examples("home", split))
        examples([]).write(run.examples("now_playing", split))
    nothing = {"model": pa.string(), "request": pa.int32(), "track": pa.int32(), "rank": pa.int32()}
    for surface in ("home", "now_playing"):
        run.baselines(surface).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.schema(list(nothing.items())).empty_table(), run.baselines(surface))
        write_ranker(run, surface, PARAMETERS)
    if not trained:
        run.ranker("home").unlink()
    return run
