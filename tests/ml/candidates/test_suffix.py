"""What followed the same two tracks before."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from ml.candidates.generator import FitInput
from ml.candidates.suffix import Suffix
from ml.state.log import Log
from ml.state.requests import Requests
from ml.state.state import State


def log_of(*sessions: list[int], tracks: int) -> Log:
    size = sum(len(one) for one in sessions)
    number = np.repeat(np.arange(len(sessions)), [len(one) for one in sessions]).astype(np.int32)
    return Log(
        user=np.zeros(size, np.int32),
        track=np.array([track for one in sessions for track in one], np.int32),
        session=number,
        position=np.concatenate([np.arange(len(one)) for one in sessions]).astype(np.int32),
        played_at=np.arange(size, dtype=np.int64),
        known_day=np.zeros(size, np.int32),
        ms_played=np.full(size, 200_000, np.int32),
        is_stream=np.ones(size, np.bool_),
        surface=np.zeros(size, np.int8),
        users=1,
        tracks=tracks,
    )


def asked(*sessions: list[int]) -> Requests:
    lengths = [len(one) for one in sessions]
    return Requests(
        "now_playing",
        pa.array([str(i) for i in range(len(sessions))], pa.string()),
        pa.nulls(len(sessions), pa.string()),
        np.full(len(sessions), -1, np.int32),
        np.zeros(len(sessions), np.int64),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.array([track for one in sessions for track in one], np.int32),
    )


@pytest.fixture
def fitted(make_state: Callable[..., State]) -> tuple[Suffix, State]:
    """Two sessions: 0 1 2 3 and 1 0 2."""
    state = make_state(1, 6)
    log = log_of([0, 1, 2, 3], [1, 0, 2], tracks=6)
    return Suffix.fit(FitInput(log, state.catalogue, state, None, state.valid_on, 0)), state


def test_followers_weigh_by_their_distance_in_either_order_of_the_pair(
    fitted: tuple[Suffix, State],
) -> None:
    """Pair {0, 1}: track 2 followed twice at once (1 + 1), track 3 once at distance two (1/2); the
    row's sum is 2.5, shrunk by 1."""
    suffix, state = fitted
    found = suffix.generate(asked([0, 1]), state, 5)
    assert found.track.tolist() == [2, 3]
    np.testing.assert_allclose(found.score, [2 / 3.5, 0.5 / 3.5], rtol=1e-6)


def test_a_pair_with_one_track_between_counts_less(fitted: tuple[Suffix, State]) -> None:
    """Session 5 0 2 ends with {0, 2}, one step apart nowhere and with 1 between once: 3 follows 0 . 2
    at weight 1 / 2, shrunk to 0.5 / 1.5."""
    suffix, state = fitted
    found = suffix.generate(asked([5, 0, 2]), state, 5)
    assert found.track.tolist() == [3]
    np.testing.assert_allclose(found.score, [0.5 / 1.5], rtol=1e-6)


def test_one_track_alone_is_no_context(fitted: tuple[Suffix, State]) -> None:
    suffix, state = fitted
    assert len(suffix.generate(asked([0], []), state, 5).track) == 0


def test_a_log_without_three_in_a_row_teaches_nothing(make_state: Callable[..., State]) -> None:
    state = make_state(1, 6)
    log = log_of([0, 1], [2], tracks=6)
    suffix = Suffix.fit(FitInput(log, state.catalogue, state, None, state.valid_on, 0))
    assert len(suffix.generate(asked([0, 1]), state, 5).track) == 0


def test_a_reordered_catalogue_keeps_the_followers(fitted: tuple[Suffix, State]) -> None:
    suffix, state = fitted
    position = np.array([5, 4, 3, 2, 1, 0], np.int32)
    moved = Suffix.restore(suffix.arrays(), position, 6)
    found = moved.generate(asked([5, 4]), state, 5)
    assert found.track.tolist() == [3, 2]


def test_a_track_that_is_gone_takes_its_pairs_along(fitted: tuple[Suffix, State]) -> None:
    suffix, state = fitted
    moved = Suffix.restore(suffix.arrays(), np.array([-1, 1, 2, 3, 4, 5], np.int32), 6)
    assert len(moved.generate(asked([0, 1]), state, 5).track) == 0
    assert moved.generate(asked([1, 2]), state, 5).track.tolist() == [3]
