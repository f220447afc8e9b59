"""What friends hold of candidates, by hand."""

import numpy as np
import pytest

from ml.kernels.friendships import friend_columns
from ml.kernels.kinds import Matrix, Sparse
from ml.state.rows import read_only

NAN = np.nan
# Artist of each of three tracks; of track 2 it is not known.
ARTIST = np.array([0, 0, -1], np.int32)
# User 1 streamed track 0 and skipped track 1, user 2 streamed both, user 3 nothing.
OF_TRACKS: list[dict[int, float]] = [{}, {0: 1, 1: 0}, {0: 2, 1: 1}, {}]
OF_ARTISTS: list[dict[int, float]] = [{}, {0: 1}, {0: 3}, {}]
OF_USERS = np.array([0, 1, 3, 0], np.float32)
OF_TASTES = np.array([0.5, 0.25], np.float32)


def rows(*given: dict[int, float]) -> Sparse:
    """Rows of values by column."""
    ends = np.cumsum([0, *map(len, given)]).astype(np.int64)
    column = np.array([one for row in given for one in row], np.int32)
    value = np.array([one for row in given for one in row.values()], np.float32)
    return Sparse(*map(read_only, (ends, column, value)))


def columns(friends: Sparse, circle: Sparse, own: Sparse, request: list[int]) -> np.ndarray:
    """Nine columns of tracks 0, 1 and 2 for each of the requests; users 1 and 2 taste .5 and .25 of track 0."""
    tastes = Matrix(*map(read_only, (np.int32([0, 0, 1, 2, 2]), np.int32([0, 0]), OF_TASTES)))
    asked, track = np.repeat(np.int32(request), 3), np.tile(np.arange(3, dtype=np.int32), 2)
    total, out = np.zeros(3, np.float32), np.full((9, 3 * len(request)), 7, np.float32)
    pairs = (rows(*OF_TRACKS), rows(*OF_ARTISTS))
    about = (OF_USERS, ARTIST, asked, track[: len(asked)], total, out)
    friend_columns(friends, *pairs, tastes, circle, own, *about)
    assert not total.any()
    return out


def test_friends_who_streamed_are_counted_and_divided_by_the_active() -> None:
    out = columns(rows({1: 1, 2: 1, 3: 1}), rows({}), rows({}), [0])
    np.testing.assert_allclose(out[0], np.log([3, 2, 1]), rtol=1e-6)
    assert out[1].tolist() == [1, 0.5, 0]
    assert out[2].tolist() == [1, 1, 0]
    assert out[3].tolist() == [0.75, 0, 0]
    np.testing.assert_allclose(out[6:8, 0], np.log([4, 3]), rtol=1e-6)


def test_the_circles_taste_stands_beside_the_listeners_own() -> None:
    out = columns(rows({1: 1}), rows({0: 3, 2: 4}), rows({0: 1, 1: 1}), [0])
    assert out[4].tolist() == [3, 0, 4]
    assert out[8].tolist() == pytest.approx([3 / (5 * 2**0.5)] * 3)
    assert out[5].tolist() == [7, 7, 7]


def test_who_follows_nobody_has_nothing_and_is_like_nobody() -> None:
    out = columns(rows({1: 1}, {}), rows({0: 3}, {}), rows({0: 1}, {0: 1}), [0, 1])
    np.testing.assert_array_equal(out[:, 3:].T, [[0, 0, 0, 0, 0, 7, 0, 0, NAN]] * 3)
    assert out[0, 0] > 0
