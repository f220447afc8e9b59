"""Candidates' vectors against what is known of a request, by hand."""

import numpy as np
import pytest

from ml.kernels.cosines import dots, genre_cosines, session_cosines

NAN = np.nan
VECTORS = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def test_each_row_is_the_product_of_its_own_two() -> None:
    out = np.empty(3, np.float32)
    dots(np.array([[2, 1], [0, 3]], np.float32), VECTORS, ints(0, 0, 1), ints(0, 2, 1), out)
    assert out.tolist() == pytest.approx([2, 2, 3])


def test_a_row_has_the_same_bits_wherever_it_stands() -> None:
    draw = np.random.default_rng(4)
    left, right = draw.normal(size=(2, 5, 67)).astype(np.float32)
    one, other = (of.ravel().astype(np.int32) for of in np.divmod(np.arange(25), 5))
    together, alone = np.empty(25, np.float32), np.empty(1, np.float32)
    dots(left, right, one, other, together)
    for row in range(25):
        dots(left, right, one[row : row + 1], other[row : row + 1], alone)
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
