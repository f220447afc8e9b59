"""Rows are multiplied and added as SciPy does it, and one alone as among others, to the last bit."""

import numpy as np
import pytest
from scipy import sparse

from ml.kernels.scratch import scratch
from ml.state.rows import Rows, RowsError, bounds_of, matrix_of, rows_of


def drawn(seed, rows, columns, share=0.3):
    return sparse.random(
        rows,
        columns,
        share,
        format="csr",
        dtype=np.float32,
        random_state=np.random.default_rng(seed),
    )


def of(*rows, width=9):
    """Rows of {column: value}."""
    ends = np.cumsum([0, *map(len, rows)])
    column = np.array([column for row in rows for column in row], np.int32)
    value = np.array([value for row in rows for value in row.values()], np.float32)
    return Rows(ends.astype(np.int64), column, value, width)


def alone(matrix, row):
    """One row of a matrix, by itself."""
    return rows_of(matrix[row])


@pytest.mark.parametrize("width", [30, 5_000])
@pytest.mark.parametrize("seed", range(4))
def test_rows_times_a_matrix_are_the_product_and_each_alone_is_its_row(seed, width):
    left, right = drawn(seed, 5, 40), drawn(seed + 10, 40, width, 0.1)
    whole = rows_of(left).times(right)
    np.testing.assert_array_equal(whole.matrix().toarray(), (left @ right).toarray())
    for row in range(5):
        np.testing.assert_array_equal(
            alone(left, row).times(right).matrix().toarray()[0], whole.matrix().toarray()[row]
        )


def test_rows_plus_others_are_their_sum_and_each_alone_is_its_row():
    left, right = drawn(1, 3, 200), drawn(2, 3, 200)
    whole = rows_of(left).plus(rows_of(right), 3.0).matrix().toarray()
    np.testing.assert_array_equal(whole, (left + 3.0 * right).toarray())
    for row in range(3):
        found = alone(left, row).plus(alone(right, row), 3.0).matrix().toarray()
        np.testing.assert_array_equal(found[0], whole[row])


def test_rows_times_a_dense_table_are_the_product_and_each_alone_is_its_row():
    left, table = drawn(3, 4, 60), np.random.default_rng(4).random((60, 7), dtype=np.float32)
    whole = rows_of(left).dense(table)
    np.testing.assert_allclose(whole, left.toarray() @ table, rtol=1e-5)
    for row in range(4):
        np.testing.assert_array_equal(alone(left, row).dense(table)[0], whole[row])


def test_values_of_a_product_are_found_without_the_product():
    left, right = drawn(5, 4, 20), drawn(6, 20, 30)
    bounds = np.arange(5, dtype=np.int64) * 30
    found = rows_of(left).times_at(right, bounds, np.tile(np.arange(30, dtype=np.int32), 4))
    np.testing.assert_array_equal(found, (left @ right).toarray().ravel())


def test_the_strongest_entries_stay_in_the_order_of_their_columns_ties_to_the_smaller():
    kept = of({7: 1.0, 1: 3.0, 4: 1.0, 2: 5.0}, {3: 1.0}).strongest(3)
    assert kept.indptr.tolist() == [0, 3, 4]
    assert kept.column.tolist() == [1, 2, 4, 3]
    assert kept.value.tolist() == [3.0, 5.0, 1.0, 1.0]


def test_nothing_of_one_row_is_left_in_the_next():
    rows = of({0: 1.0}, {1: 1.0})
    assert rows.times(sparse.eye(9, dtype=np.float32, format="csr")).matrix().toarray().sum(
        axis=1
    ).tolist() == [
        1.0,
        1.0,
    ]
    with scratch(9) as held:
        assert not held.total.any()
        assert not held.mark.any()
        assert not held.bucket.any()


def test_a_matrix_of_another_catalogue_is_refused():
    rows, other = of({8: 1.0}), drawn(1, 3, 3)
    for multiply in (rows.times, rows.against):
        with pytest.raises(RowsError, match="expected a matrix of 9 rows, found 3"):
            multiply(other)


def test_where_requests_begin_among_ascending_ones():
    assert bounds_of(np.array([0, 0, 0, 1, 2, 2]), 4).tolist() == [0, 3, 4, 6, 6]


def test_a_matrix_that_kernels_cannot_take_is_refused():
    matrix = drawn(1, 3, 3)
    matrix.indptr = matrix.indptr.astype(np.int64)
    with pytest.raises(RowsError, match="expected fewer than 2\\^31 stored values"):
        matrix_of(matrix)
