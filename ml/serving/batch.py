"""The recommendations of a day, for every active listener.

Belongs here: who is asked for, and where the lists are stored. Does not belong here: how a list is
made (ml.serving.recommender).
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ml.files import replace_file, replace_table
from ml.serving.recommender import Recommender, blocks
from ml.serving.sample import Sample, drawn
from ml.state.requests import Requests, requests_from_table
from ml.state.state import State
from ml.tables import RECOMMENDATIONS, REQUESTS

# Who has not listened for four weeks gets no daily list; a request of theirs is answered all the same.
ACTIVE_DAYS = 28

DAILY = RECOMMENDATIONS.schema.append(pa.field("valid_on", pa.date32(), nullable=False))


def daily_requests(state: State, *, active_days: int = ACTIVE_DAYS) -> pa.Table:
    """One Home request at 00:00 UTC of `state.valid_on` for each listener of the last days.

    Request ids are `home-<valid_on>-<user_id>`; the REQUESTS table is sorted by them.
    """
    age = state.users["last_played_age"]
    active = np.flatnonzero(age <= active_days)
    users = state.user_ids.take(pa.array(active)).to_pylist()
    at = datetime.combine(state.valid_on, datetime.min.time(), tzinfo=UTC)
    columns = {
        "request_id": [f"home-{state.valid_on.isoformat()}-{user}" for user in users],
        "user_id": users,
        "surface": ["home"] * len(users),
        "at": [at] * len(users),
        "session_track_ids": [[]] * len(users),
    }
    return pa.table(columns, schema=REQUESTS.schema).sort_by("request_id")


def recommend_day(
    recommender: Recommender,
    k: int,
    *,
    sampled_rows: int,
    seed: int,
    active_days: int = ACTIVE_DAYS,
    listeners: int | None = None,
    workers: int = 2,
) -> tuple[pa.Table, pa.Table]:
    """(lists, features): the Home lists of `daily_requests` (of at most `listeners` drawn at random), and
    the ranker's inputs of at most `sampled_rows` shown rows drawn so, a float32 column a feature.

    Blocks of requests are answered by `workers` threads: NumPy, SciPy and XGBoost let go of the
    interpreter while they work. What comes out does not hang on how many there are.
    """
    state = recommender.state
    requests = requests_from_table(daily_requests(state, active_days=active_days), "home", state)
    if listeners is not None and len(requests) > listeners:
        chosen = np.random.default_rng(seed).choice(len(requests), listeners, replace=False)
        requests = requests.select(np.sort(chosen).astype(np.int64))

    def answered(numbered: tuple[int, Requests]) -> tuple[pa.Table, Sample]:
        number, block = numbered
        answer = recommender.answer(block, k)
        return recommender.table(answer, state.valid_on), drawn(answer, number, seed)

    lists, sample = [RECOMMENDATIONS.schema.empty_table()], None
    # A library that starts threads of its own in every thread is slower and no surer.
    with threadpool_limits(1), ThreadPoolExecutor(workers) as pool:
        for table, part in pool.map(answered, enumerate(blocks(requests))):
            lists.append(table)
            sample = part.cut(sampled_rows) if sample is None else sample.joined(part, sampled_rows)
    order = [("request_id", "ascending"), ("rank", "ascending")]
    shown = pa.concat_tables(lists).sort_by(order)
    return shown, pa.table({}) if sample is None else sample.table()


def recommendations_path(folder: Path, day: date) -> Path:
    """File of the lists made at the end of `day`."""
    return folder / f"day={day.isoformat()}" / "part.parquet"


def publish_recommendations(folder: Path, day: date, lists: pa.Table, valid_on: date) -> Path:
    """Write the lists made at the end of `day`, in force on `valid_on`, and return the file."""
    target = recommendations_path(folder, day)
    in_force = pa.array([valid_on] * len(lists), pa.date32())
    table = lists.append_column("valid_on", in_force).cast(DAILY)
    replace_table(target, table)
    return target


def publish_features(folder: Path, day: date, features: pa.Table) -> None:
    """Write the sampled ranker inputs of the lists made at the end of `day`."""
    target = recommendations_path(folder, day).with_name("features.arrow")
    replace_file(target, partial(feather.write_feather, features))


def read_features(folder: Path, day: date) -> pa.Table | None:
    """The sampled ranker inputs of a day, None where there are none."""
    path = recommendations_path(folder, day).with_name("features.arrow")
    return feather.read_table(path) if path.is_file() else None


def read_recommendations(folder: Path, day: date) -> pa.Table | None:
    """The lists made at the end of `day`, None where there are none."""
    path = recommendations_path(folder, day)
    return pq.read_table(path, schema=DAILY, partitioning=None) if path.is_file() else None
