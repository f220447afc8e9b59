"""How long ago a track and its artist were heard, when the request is asked and not at midnight."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from ml.ranking.since_features import since_features
from ml.state.requests import DayListens, Requests
from ml.state.state import State

NOON = 12 * 3_600
# 2026-03-10, the day of the state.
MIDNIGHT = 20_522 * 86_400
Make = Callable[..., State]
Stream = Callable[..., dict[str, float]]


def day_of(*listens: list[int]) -> DayListens:
    """The day's listens of each request, none of them skipped."""
    track = [one for own in listens for one in own]
    indptr = np.cumsum([0, *map(len, listens)]).astype(np.int64)
    return DayListens(indptr, np.array(track, np.int32), np.zeros(len(track), np.bool_))


def asked(sessions: list[list[int]], day: DayListens | None) -> Requests:
    """Requests at noon by u0."""
    size = len(sessions)
    return Requests(
        "now_playing",
        pa.array([f"r{row}" for row in range(size)], pa.string()),
        pa.array(["u0"] * size, pa.string()),
        np.zeros(size, np.int32),
        np.full(size, MIDNIGHT + NOON, np.int64),
        np.cumsum([0, *map(len, sessions)]).astype(np.int64),
        np.array([track for own in sessions for track in own], np.int32),
        day,
    )


def test_a_session_that_is_ahead_of_the_stored_listens_counts_too(state: State) -> None:
    columns = features(asked([[1, 4]], day_of([1])), state, [0, 0, 0], [1, 2, 4])
    plays = np.float32([1, np.nan, 0])
    np.testing.assert_array_equal(columns["listener_track_plays_since"], plays)
    assert columns["listener_track_since"].tolist() == [0.0, 2.5, 0.0]


def test_a_listen_of_the_evening_before_that_is_known_today_was_before_midnight(
    state: State,
) -> None:
    requests = asked([[]], None)
    requests.at[:] = MIDNIGHT - 6 * 3_600
    columns = features(requests, state, [0], [2])
    assert columns["listener_track_since"].tolist() == [1.75]


def features(
    requests: Requests, state: State, request: list[int], track: list[int]
) -> dict[str, NDArray[np.float32]]:
    rows, tracks = np.array(request, np.int32), np.array(track, np.int32)
    return since_features(requests, state, rows, tracks).columns(len(rows))


@pytest.fixture
def state(make_state: Make, stream: Stream) -> State:
    """u0 heard t0 a quarter of a day and t2 two days before midnight."""
    plays = {(0, 0): stream(1.0, last_played_age=0.25), (0, 2): stream(1.0, last_played_age=2.0)}
    return make_state(plays=plays)


def test_at_noon_everything_is_half_a_day_older(state: State) -> None:
    columns = features(asked([[]], day_of([])), state, [0, 0, 0], [0, 2, 4])
    np.testing.assert_array_equal(columns["listener_track_since"], np.float32([0.75, 2.5, np.nan]))
    # t1 is by the artist of t0.
    by_artist = features(asked([[]], day_of([])), state, [0], [1])["listener_artist_since"]
    assert by_artist.tolist() == [0.75]
    assert np.isnan(columns["listener_track_plays_since"]).all()


def test_what_the_day_brought_was_heard_just_now_and_so_many_listens_ago(state: State) -> None:
    columns = features(asked([[]], day_of([2, 4, 1])), state, [0, 0, 0, 0], [0, 1, 2, 4])
    assert columns["listener_track_since"].tolist() == [0.75, 0.0, 0.0, 0.0]
    plays = np.float32([np.nan, 0, 2, 1])
    np.testing.assert_array_equal(columns["listener_track_plays_since"], plays)
    # The artist of t0 came with t1.
    assert columns["listener_artist_since"].tolist() == [0.0] * 4
    assert columns["listener_artist_plays_since"].tolist() == [0.0, 0.0, 2.0, 1.0]


def test_without_listens_of_the_day_the_session_tells(state: State) -> None:
    for day in (None, day_of([])):
        columns = features(asked([[2, 4]], day), state, [0, 0], [0, 2])
        assert columns["listener_track_since"].tolist() == [0.75, 0.0]
        assert columns["listener_track_plays_since"].tolist()[1] == 1.0


def test_each_request_looks_at_its_own_day_or_its_own_session(state: State) -> None:
    requests = asked([[4], [2, 4], []], day_of([0, 2], [], [2]))
    columns = features(requests, state, [0, 1, 1, 2], [0, 2, 4, 4])
    expected = np.float32([2, 1, 0, np.nan])
    np.testing.assert_array_equal(columns["listener_track_plays_since"], expected)
