"""Sparse rows, one after the other: their sums, their best, their values at given columns.

Belongs here: loops over stored entries of rows and of the matrices they are multiplied with. Does not belong
here: what the weights mean. Weights and values are above 0; terms are added in their order in float32.

Several rows come back as (ends int64 (n + 1), column int32, value float32).
"""

import numba
import numpy as np

from ml.kernels.ahead import LINE, fetch
from ml.kernels.kinds import BOOL, COMPILED, FLOAT, INT, LONG, MATRIX, SCRATCH, SPARSE, Sparse, read
from ml.kernels.select import best_keys, put, put_by_column

# Stored rows asked for ahead, and entries of each: what follows the processor sees coming.
_AHEAD, _FETCHED = 4, 64


@numba.njit(**COMPILED)
def add(column, term, count, scratch):
    """Add a term; a column that was 0 goes to `scratch.touched` behind `count`. How many are there.

    Written whether it counts or not, a tenth faster than a branch.
    """
    place = np.uint32(column)
    before = scratch.total[place]
    scratch.touched[np.uint64(count)] = column
    scratch.total[place] = before + term
    return count + (before == 0)


@numba.njit(**COMPILED)
def add_row(rows, row, weight, count, scratch):
    """Add `weight` times a stored row."""
    for at in range(rows.indptr[row], rows.indptr[row + 1]):
        term = rows.value[at] * weight
        if term > 0:
            count = add(rows.column[at], term, count, scratch)
    return count


@numba.njit(**COMPILED)
def _fetch(matrix, row):
    """Ask for where a stored row begins."""
    start = matrix.indptr[row]
    for at in range(start, min(start + _FETCHED, matrix.indptr[row + 1]), LINE):
        fetch(matrix.column, at)
        fetch(matrix.value, at)


@numba.njit(**COMPILED)
def add_product(rows, row, matrix, count, scratch):
    """Add one row times the matrix."""
    start, stop = rows.indptr[row], rows.indptr[row + 1]
    for at in range(start, stop):
        fetch(matrix.indptr, rows.column[at])
    for at in range(start, min(start + _AHEAD, stop)):
        _fetch(matrix, rows.column[at])
    for at in range(start, stop):
        if at + _AHEAD < stop:
            _fetch(matrix, rows.column[at + _AHEAD])
        count = add_row(matrix, rows.column[at], rows.value[at], count, scratch)
    return count


@numba.njit(**COMPILED)
def take(count, scratch):
    """Move the touched sums into `scratch.held` and leave zeros."""
    for at in range(count):
        scratch.held[at] = scratch.total[scratch.touched[at]]
        scratch.total[scratch.touched[at]] = 0


@numba.njit(**COMPILED)
def best_taken(count, k, scratch):
    """Keys of the best `k` of the touched sums, which become zeros; how many they are."""
    take(count, scratch)
    bits = scratch.held.view(np.int32)
    return best_keys(bits, scratch.touched, 0, count, k, scratch.bucket, scratch.key)


@numba.njit((SPARSE, MATRIX, LONG, SCRATCH), **COMPILED)
def best_of_products(rows, matrix, k, scratch):
    """The best `k` of each row times the matrix, best first."""
    size = len(rows.indptr) - 1
    ends = np.zeros(size + 1, dtype=np.int64)
    column, value = np.empty(size * k, dtype=np.int32), np.empty(size * k, dtype=np.float32)
    for row in range(size):
        found = best_taken(add_product(rows, row, matrix, 0, scratch), k, scratch)
        ends[row + 1] = put(scratch.key, found, column, value, ends[row])
    return ends, column[: ends[size]], value[: ends[size]]


@numba.njit((SPARSE, MATRIX, read(FLOAT), read(FLOAT), FLOAT, LONG, LONG, SCRATCH), **COMPILED)
def neighbours(rows, matrix, left, right, shrink, first, k, scratch):
    """The best `k` of each row times the matrix, divided by left[row] right[column] + shrink, in the order of the columns;
    row 0 is number `first`, and what has the row's own number is left out."""
    size = len(rows.indptr) - 1
    ends = np.zeros(size + 1, dtype=np.int64)
    column, value = np.empty(size * k, dtype=np.int32), np.empty(size * k, dtype=np.float32)
    for row in range(size):
        count = add_product(rows, row, matrix, 0, scratch)
        scratch.total[first + row] = 0
        for at in range(count):
            place = scratch.touched[at]
            scratch.total[place] /= left[first + row] * right[place] + shrink
        found = best_taken(count, k, scratch)
        ends[row + 1] = put_by_column(scratch.key, found, column, value, ends[row])
    return ends, column[: ends[size]], value[: ends[size]]


@numba.njit((SPARSE, MATRIX, MATRIX, LONG, FLOAT, LONG, SCRATCH), **COMPILED)
def best_of_walks(rows, matrix, edges, reached, twice, k, scratch):
    """The best `k` of each row times the matrix plus `twice` times the row times the edges times the edges, best
    first; the second step is taken from the best `reached` columns of the first."""
    size = len(rows.indptr) - 1
    ends, span = np.zeros(size + 1, dtype=np.int64), np.zeros(2, dtype=np.int64)
    column, value = np.empty(size * k, dtype=np.int32), np.empty(size * k, dtype=np.float32)
    near, weight = np.empty(reached, dtype=np.int32), np.empty(reached, dtype=np.float32)
    for row in range(size):
        found = best_taken(add_product(rows, row, edges, 0, scratch), reached, scratch)
        span[1] = put_by_column(scratch.key, found, near, weight, 0)
        for at in range(found):
            weight[at] *= twice
        count = add_product(Sparse(span, near, weight), 0, edges, 0, scratch)
        count = add_product(rows, row, matrix, count, scratch)
        found = best_taken(count, k, scratch)
        ends[row + 1] = put(scratch.key, found, column, value, ends[row])
    return ends, column[: ends[size]], value[: ends[size]]


@numba.njit((SPARSE, LONG, BOOL, SCRATCH), **COMPILED)
def best_of_rows(rows, k, by_column, scratch):
    """The best `k` entries above 0 of each row, ties to the smaller columns; best first, or with `by_column` in
    the order of the columns. `scratch` is as wide as the longest row."""
    size, most = len(rows.indptr) - 1, 0
    for row in range(size):
        most += min(k, rows.indptr[row + 1] - rows.indptr[row])
    ends = np.zeros(size + 1, dtype=np.int64)
    column, value = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.float32)
    bits, key = rows.value.view(np.int32), scratch.key
    for row in range(size):
        start, stop = rows.indptr[row], rows.indptr[row + 1]
        found = best_keys(bits, rows.column, start, stop, k, scratch.bucket, key)
        if by_column:
            ends[row + 1] = put_by_column(key, found, column, value, ends[row])
        else:
            ends[row + 1] = put(key, found, column, value, ends[row])
    return ends, column[: ends[size]], value[: ends[size]]


@numba.njit(**COMPILED)
def _append(count, ends, row, column, value, scratch):
    """Move the touched sums behind what stands in `column` and `value`."""
    done = ends[row]
    take(count, scratch)
    column[done : done + count] = scratch.touched[:count]
    value[done : done + count] = scratch.held[:count]
    ends[row + 1] = done + count


@numba.njit((SPARSE, MATRIX, LONG, SCRATCH), **COMPILED)
def products(rows, matrix, terms, scratch):
    """Each row times the matrix, columns in the order in which they were met; `terms` is the number of terms of
    all rows together."""
    size = len(rows.indptr) - 1
    ends = np.zeros(size + 1, dtype=np.int64)
    column, value = np.empty(terms, dtype=np.int32), np.empty(terms, dtype=np.float32)
    for row in range(size):
        count = add_product(rows, row, matrix, 0, scratch)
        _append(count, ends, row, column, value, scratch)
    return ends, column[: ends[size]], value[: ends[size]]


@numba.njit((SPARSE, SPARSE, FLOAT, SCRATCH), **COMPILED)
def sums(left, right, weight, scratch):
    """Each row plus `weight` times the row of the other, columns in the order in which they were met."""
    size, terms = len(left.indptr) - 1, len(left.column) + len(right.column)
    ends = np.zeros(size + 1, dtype=np.int64)
    column, value = np.empty(terms, dtype=np.int32), np.empty(terms, dtype=np.float32)
    for row in range(size):
        count = add_row(left, row, np.float32(1), 0, scratch)
        count = add_row(right, row, weight, count, scratch)
        _append(count, ends, row, column, value, scratch)
    return ends, column[: ends[size]], value[: ends[size]]


@numba.njit(**COMPILED)
def _look_up(count, start, stop, sought, found, scratch):
    """The sums at the columns sought from `start` to `stop`; zeros are left."""
    for at in range(start, stop):
        found[at] = scratch.total[sought[at]]
    for at in range(count):
        scratch.total[scratch.touched[at]] = 0


@numba.njit((SPARSE, MATRIX, read(LONG), read(INT), SCRATCH), **COMPILED)
def products_at(rows, matrix, bounds, sought, scratch):
    """float32: each row times the matrix at the columns `sought[bounds[row]:bounds[row + 1]]`, 0 without a term."""
    found = np.empty(len(sought), dtype=np.float32)
    for row in range(len(rows.indptr) - 1):
        count = add_product(rows, row, matrix, 0, scratch)
        _look_up(count, bounds[row], bounds[row + 1], sought, found, scratch)
    return found


@numba.njit((SPARSE, read(FLOAT, 2)), **COMPILED)
def dense_products(rows, table):
    """float32 (n, d): each row times a dense table (columns, d)."""
    size, width = len(rows.indptr) - 1, table.shape[1]
    whole = np.zeros((size, width), dtype=np.float32)
    for row in range(size):
        total = whole[row]
        for at in range(rows.indptr[row], rows.indptr[row + 1]):
            weight, near = rows.value[at], table[rows.column[at]]
            for column in range(width):
                total[column] += weight * near[column]
    return whole


@numba.njit((read(LONG),), **COMPILED)
def ranked(ends):
    """(row int32, place from 1 int32) of each entry."""
    row, place = np.empty(ends[-1], dtype=np.int32), np.empty(ends[-1], dtype=np.int32)
    for one in range(len(ends) - 1):
        for at in range(ends[one], ends[one + 1]):
            row[at], place[at] = one, at - ends[one] + 1
    return row, place
