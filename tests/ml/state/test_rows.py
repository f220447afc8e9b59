"""A single row is multiplied and added as SciPy does it for many, to the last bit."""

import numpy as np
import pytest
from scipy import sparse

from ml.state import rows as module
from ml.state.rows import Rows, one_row, places_among, rows_of, summed


def drawn(seed, rows, columns, share=0.3):
    return sparse.random(
        rows,
        columns,
        share,
        format="csr",
        dtype=np.float32,
        random_state=np.random.default_rng(seed),
    )


def alone(matrix, row):
    """One row of a matrix, by itself."""
    part = matrix[row].sorted_indices()
    return one_row(part.indices, part.data, matrix.shape[1])


def same_bits(row: Rows, wanted: sparse.csr_matrix):
    assert (np.diff(row.column) > 0).all()
    found = np.zeros(row.width, np.float32)
    found[row.column] = row.value
    np.testing.assert_array_equal(found, wanted.toarray().ravel())


@pytest.mark.parametrize("width", [30, 5_000])
@pytest.mark.parametrize("seed", range(4))
def test_one_row_times_a_matrix_is_its_row_of_the_product(seed, width):
    left, right = drawn(seed, 5, 40), drawn(seed + 10, 40, width, 0.1)
    whole = left @ right
    for row in range(5):
        same_bits(alone(left, row).times(right), whole[row])


def test_one_row_plus_another_is_their_row_of_the_sum():
    left, right = drawn(1, 3, 200), drawn(2, 3, 200)
    whole = left + 3.0 * right
    for row in range(3):
        same_bits(alone(left, row).plus(alone(right, row), 3.0), whole[row])


def test_one_row_times_a_dense_table_is_its_row_of_the_product():
    left, table = drawn(3, 4, 60), np.random.default_rng(4).random((60, 7), dtype=np.float32)
    whole = rows_of(left).dense(table)
    for row in range(4):
        np.testing.assert_array_equal(alone(left, row).dense(table)[0], whole[row])
        np.testing.assert_array_equal(alone(left, row).filled()[0], rows_of(left).filled()[row])


def test_values_are_found_where_they_are_stored_and_zero_elsewhere():
    row = one_row(np.array([2, 5], np.int32), np.array([0.5, 0.25], np.float32), 9)
    wanted = np.array([5, 8, 0, 2], np.int32)
    assert row.at(np.zeros(4, np.int64), wanted).tolist() == [0.25, 0.0, 0.0, 0.5]
    empty = one_row(np.zeros(0, np.int32), np.zeros(0, np.float32), 9)
    assert empty.at(np.zeros(4, np.int64), wanted).tolist() == [0.0, 0.0, 0.0, 0.0]


def test_nothing_of_a_failed_sum_is_left_in_the_next():
    with pytest.raises(IndexError):
        summed(np.array([1, 10_000_000], np.int32), np.ones(2, np.float32), 8)
    whole = summed(np.array([1, 1], np.int32), np.ones(2, np.float32), 8)
    assert (whole.column.tolist(), whole.value.tolist()) == ([1], [2.0])
    assert module.summed(np.zeros(0, np.int32), np.zeros(0, np.float32), 8).column.tolist() == []


def test_places_are_found_again_and_leave_no_mark():
    known = np.array([5, 2, 9], dtype=np.int32)
    assert places_among(known, np.array([9, 5, 0, 9], dtype=np.int32), 10).tolist() == [2, 0, -1, 2]
    assert places_among(known[:0], known, 10).tolist() == [-1, -1, -1]
