"""The best entries are those of a whole sort, whatever the scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml.kernels.scratch import scratch
from ml.kernels.select import best_keys, put, put_by_column
from ml.state.rows import read_only


def best(score, k, *, column=None, by_column=False):
    """(columns, scores) by the kernels."""
    column = np.arange(len(score), dtype=np.int32) if column is None else column
    found, held = np.empty(k, np.int32), np.empty(k, np.float32)
    with scratch(max(len(score), 1)) as kept:
        bits = read_only(score.view(np.int32))
        count = best_keys(bits, column, 0, len(score), k, kept.bucket, kept.key)
        (put_by_column if by_column else put)(kept.key, count, found, held, 0)
        assert not kept.bucket.any()
    return found[:count], held[:count]


def wanted(score, k):
    """The same by a whole sort."""
    order = np.lexsort((np.arange(len(score)), -score))
    return np.array([at for at in order if score[at] > 0][:k], np.int32)


# The first call compiles.
@settings(deadline=None)
@given(
    arrays(np.float32, st.integers(0, 80), elements=st.floats(-2, 4, width=32)),
    st.integers(1, 90),
)
def test_the_best_are_those_of_a_whole_sort(score, k):
    found, held = best(score, k)
    assert found.tolist() == wanted(score, k).tolist()
    np.testing.assert_array_equal(held, score[found])


@pytest.mark.parametrize("k", [1, 7, 500])
def test_scores_that_differ_in_their_last_bits_are_told_apart(k):
    score = (1 + np.random.default_rng(3).permutation(4_000) * 2.0**-23).astype(np.float32)
    assert best(score, k)[0].tolist() == wanted(score, k).tolist()


def test_equal_scores_go_to_the_smaller_columns():
    column = np.array([9, 3, 5, 1], np.int32)
    found, _ = best(np.array([2, 2, 7, 2], np.float32), 3, column=column)
    assert found.tolist() == [5, 1, 3]


def test_what_is_not_a_number_or_not_above_zero_is_never_chosen():
    score = np.array([np.nan, 0.0, -1.0, np.inf, 1e-42, -0.0], np.float32)
    assert best(score, 6)[0].tolist() == [3, 4]


def test_the_best_can_come_in_the_order_of_their_columns():
    found, held = best(np.array([1, 5, 3, 4], np.float32), 3, by_column=True)
    assert (found.tolist(), held.tolist()) == ([1, 2, 3], [5.0, 3.0, 4.0])
