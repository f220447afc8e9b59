"""Candidates' vectors against what is known of a request, by hand."""

import numpy as np
import pytest

from ml.kernels.cosines import genre_cosines, session_cosines, text_cosines
from ml.kernels.kinds import Sparse
from ml.state.rows import read_only

NAN = np.nan
VECTORS = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def weighted(*rows: dict[int, float]) -> Sparse:
    """Rows of weights by column."""
    ends = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    column = np.array([one for row in rows for one in row], np.int32)
    value = np.array([one for row in rows for one in row.values()], np.float32)
    return Sparse(*map(read_only, (ends, column, value)))


def test_each_row_is_held_against_the_mean_of_its_own_request() -> None:
    """The first request's mean is (3, 4) over 5; the second has none."""
    out = np.empty(4, np.float32)
    rows = weighted({0: 3, 1: 4}, {}, {1: 7})
    text_cosines(rows, VECTORS, ints(0, 0, 1, 2), ints(0, 2, 2, 2), out)
    assert out.tolist() == pytest.approx([0.6, 1, 0, 0.8])


def test_a_row_has_the_same_bits_wherever_it_stands() -> None:
    draw = np.random.default_rng(4)
    vectors = draw.normal(size=(40, 67)).astype(np.float32)
    rows = weighted(*({int(one): 1.5 for one in draw.permutation(40)[:size]} for size in (30, 1)))
    request, track = np.repeat(ints(0, 1), 40), np.tile(np.arange(40, dtype=np.int32), 2)
    together, alone = np.empty(80, np.float32), np.empty(1, np.float32)
    text_cosines(rows, vectors, request, track, together)
    for row in range(80):
        text_cosines(rows, vectors, request[row : row + 1], track[row : row + 1], alone)
        assert alone[0] == together[row]


def test_genres_of_a_track_share_its_length() -> None:
    """Track 0 has both genres, track 1 the second, track 2 none."""
    indptr, genre = np.array([0, 2, 3, 3], np.int64), ints(0, 1, 1)
    profile, out = np.array([[1, 0], [0.6, 0.8]], np.float32), np.empty(4, np.float32)
    genre_cosines(profile, indptr, genre, ints(0, 1, 1, 1), ints(0, 0, 1, 2), out)
    assert out.tolist() == pytest.approx([2**-0.5, 1.4 * 2**-0.5, 0.8, 0])


def test_a_session_is_its_last_track_and_the_mean_of_its_last_five() -> None:
    """Request 0 played track 1, then track 0: the mean is (1, 0.7) over its length."""
    out = np.empty((2, 3), np.float32)
    ends, session = np.array([0, 2, 2], np.int64), ints(1, 0)
    session_cosines(ends, session, VECTORS, ints(0, 0, 1), ints(0, 2, 2), out)
    np.testing.assert_allclose(out[0], [1, 0.6, NAN], rtol=1e-6)
    length = 1.49**0.5
    np.testing.assert_allclose(out[1], [1 / length, 1.16 / length, 0], rtol=1e-6)


def test_a_track_more_than_five_steps_back_is_not_in_the_mean() -> None:
    out = np.empty((2, 1), np.float32)
    ends, session = np.array([0, 6], np.int64), ints(1, 0, 0, 0, 0, 0)
    session_cosines(ends, session, VECTORS, ints(0), ints(1), out)
    assert out.ravel().tolist() == [0, 0]
