"""The recommendations of a day, for every active listener.

Belongs here: who is asked for, and where the lists are stored. Does not belong here: how a list is
made (ml.serving.recommender).
"""

from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from ml.files import replace_file, replace_table
from ml.serving.recommender import Recommender
from ml.state.requests import requests_from_table
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
) -> tuple[pa.Table, pa.Table]:
    """(lists, features): the Home lists of `daily_requests` (of at most `listeners` drawn at random), and
    the ranker's inputs of at most `sampled_rows` shown rows drawn so, a float32 column a feature."""
    state = recommender.state
    requests = requests_from_table(daily_requests(state, active_days=active_days), "home", state)
    if listeners is not None and len(requests) > listeners:
        chosen = np.random.default_rng(seed).choice(len(requests), listeners, replace=False)
        requests = requests.select(np.sort(chosen).astype(np.int64))
    lists, inputs = [RECOMMENDATIONS.schema.empty_table()], []
    for answer in recommender.answers(requests, k):
        lists.append(recommender.table(answer, state.valid_on))
        names, values = answer.features.names, answer.features.values[answer.shown.row]
        inputs.append(pa.table({name: values[:, i] for i, name in enumerate(names)}))
    shown = pa.concat_tables(lists)
    order = [("request_id", "ascending"), ("rank", "ascending")]
    if not inputs:
        return shown, pa.table({})
    features = pa.concat_tables(inputs)
    drawn = np.random.default_rng(seed).permutation(len(features))[:sampled_rows]
    return shown.sort_by(order), features.take(pa.array(np.sort(drawn)))


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
