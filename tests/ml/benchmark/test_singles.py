"""A single generator's own lists, with and without what the listener has heard."""

from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from ml.benchmark.singles import single_lists
from ml.candidates.popularity import Popularity
from ml.serving.recommender import Recommender
from ml.state.state import State
from ml.tables import REQUESTS


@pytest.fixture
def recommender(
    make_state: Callable[..., State], stream: Callable[..., dict[str, float]]
) -> Recommender:
    """Track 1 is streamed most, then 2, then 3; listener u0 has heard 1 and 3."""
    plays = {(0, 1): stream(9.0), (1, 2): stream(5.0), (0, 3): stream(2.0)}
    return Recommender("v", make_state(2, 4, plays), {})


def listed(recommender: Recommender, *, exclude_heard: bool) -> list[tuple[str, int]]:
    asked = {
        "request_id": ["q"],
        "user_id": ["u0"],
        "surface": ["home"],
        "at": [datetime(2026, 3, 10, tzinfo=UTC)],
        "session_track_ids": [[]],
    }
    found = dict(
        single_lists(
            recommender,
            {"popularity": Popularity()},
            pa.table(asked, schema=REQUESTS.schema),
            "home",
            2,
            exclude_heard=exclude_heard,
        )
    )
    rows = found["popularity"].to_pylist()
    assert {row["request_id"] for row in rows} == {"q"}
    return [(row["track_id"], row["rank"]) for row in rows]


def test_a_generators_list_is_its_own_order(recommender: Recommender) -> None:
    assert listed(recommender, exclude_heard=False) == [("t1", 1), ("t2", 2)]


def test_heard_tracks_leave_their_places_to_the_next_ones(recommender: Recommender) -> None:
    assert listed(recommender, exclude_heard=True) == [("t2", 1), ("t0", 2)]
