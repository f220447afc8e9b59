"""What is known of pairs, by hand."""

import numpy as np
import pytest

from ml.kernels.pairs import known_pairs, log1p, ratio

NAN = np.nan
# User 0 has nothing, user 1 the items 2, 5 and 7, user 2 item 5.
INDPTR, ITEM = np.array([0, 0, 3, 4], np.int64), np.array([2, 5, 7, 5], np.int32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


@pytest.mark.parametrize("value", [0.0, 1e-18, 9e-5, 2e-4, 1.0, 1e6])
def test_logarithms_are_exact_for_the_smallest_sums_too(value: float) -> None:
    wanted = np.log1p(np.float64(np.float32(value)))
    assert float(log1p(np.float32(value))) == pytest.approx(wanted, rel=1.2e-7, abs=0)


def test_nothing_of_nothing_is_not_known() -> None:
    assert np.isnan(ratio(np.float32(0), np.float32(0)))
    assert ratio(np.float32(1), np.float32(4)) == 0.25


def pairs(user: np.ndarray, request: np.ndarray, sought: np.ndarray) -> np.ndarray:
    """Columns plays, skips, age, streams of the four pairs; user 1 streamed 8 in all, nobody else anything."""
    values = np.array([[4, 0, 2, 1], [1, 0, 2, 0], [9, 8, 7, 6], [2, 0, 1, 1]], np.float32)
    is_age = np.array([False, False, True, False])
    total, out = np.array([0, 8, 0], np.float32), np.empty((6, len(sought)), np.float32)
    named = np.array([0, 1, 3], np.int64)
    known_pairs(INDPTR, ITEM, values, is_age, named, total, user, request, sought, out)
    return out


def test_a_pairs_columns_are_logarithms_an_age_and_two_shares() -> None:
    found = pairs(ints(1), ints(0), ints(2))[:, 0]
    assert found.tolist() == pytest.approx([np.log(5), np.log(2), 9, np.log(3), 0.25, 0.25])


def test_without_a_pair_counts_are_zero_and_what_they_divide_is_not_known() -> None:
    found = pairs(ints(1), ints(0), ints(3))[:, 0]
    np.testing.assert_array_equal(found, [0, 0, NAN, 0, NAN, 0])


def test_a_pair_without_plays_has_no_skip_rate() -> None:
    np.testing.assert_array_equal(pairs(ints(1), ints(0), ints(5))[4:, 0], [NAN, 0])


@pytest.mark.parametrize("user", [-1, 0, 2])
def test_who_streamed_nothing_has_no_share_in_it(user: int) -> None:
    assert np.isnan(pairs(ints(user), ints(0), ints(5))[5, 0])


def test_rows_beyond_those_kept_together_are_as_the_first() -> None:
    size = 2_500
    sought = np.resize(ints(2, 5, 7, 3), size)
    many = pairs(ints(0, 1), np.ones(size, np.int32), sought)
    np.testing.assert_array_equal(many, np.resize(many[:, :4].T, (size, 6)).T)
