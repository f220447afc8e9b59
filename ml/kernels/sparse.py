"""Products of sparse rows with sparse matrices, one row after the other.

Belongs here: sums of weighted rows, their best, their values at given columns. Does not belong here: what the
weights mean. Weights and values are not negative; a row's terms are added in their order in float32.
"""

import numba
import numpy as np

from ml.kernels.kinds import BOOL, COMPILED, FLOAT, INT, LONG, MATRIX, SCRATCH, SPARSE, Sparse, read
from ml.kernels.select import best_keys, put, put_by_column


@numba.njit(**COMPILED)
def add_product(rows, row, matrix, count, scratch):
    """One row times the matrix into `scratch.total`; columns that were 0 go to `scratch.touched` behind `count`,
    and how many are there is returned."""
    total, touched = scratch.total, scratch.touched
    for at in range(rows.indptr[row], rows.indptr[row + 1]):
        weight, source = rows.value[at], rows.column[at]
        for place in range(matrix.indptr[source], matrix.indptr[source + 1]):
            term = matrix.value[place] * weight
            if term > 0:
                column = matrix.column[place]
                if total[column] == 0:
                    touched[count] = column
                    count += 1
                total[column] += term
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
    """(ends int64 (n + 1), track int32, score float32): the best `k` of each row times the matrix, best first."""
    size = len(rows.indptr) - 1
    ends = np.zeros(size + 1, dtype=np.int64)
    track, score = np.empty(size * k, dtype=np.int32), np.empty(size * k, dtype=np.float32)
    for row in range(size):
        found = best_taken(add_product(rows, row, matrix, 0, scratch), k, scratch)
        ends[row + 1] = put(scratch.key, found, track, score, ends[row])
    return ends, track[: ends[size]], score[: ends[size]]


@numba.njit((SPARSE, MATRIX, MATRIX, LONG, FLOAT, LONG, SCRATCH), **COMPILED)
def best_of_walks(rows, matrix, edges, reached, twice, k, scratch):
    """(ends, track, score): the best `k` of each row times the matrix plus `twice` times the row times the edges
    times the edges; the second step is taken from the best `reached` columns of the first."""
    size = len(rows.indptr) - 1
    ends, span = np.zeros(size + 1, dtype=np.int64), np.zeros(2, dtype=np.int64)
    track, score = np.empty(size * k, dtype=np.int32), np.empty(size * k, dtype=np.float32)
    near, weight = np.empty(reached, dtype=np.int32), np.empty(reached, dtype=np.float32)
    for row in range(size):
        found = best_taken(add_product(rows, row, edges, 0, scratch), reached, scratch)
        span[1] = put_by_column(scratch.key, found, near, weight, 0)
        for at in range(found):
            weight[at] *= twice
        step = Sparse(span, near, weight)
        count = add_product(step, 0, edges, 0, scratch)
        count = add_product(rows, row, matrix, count, scratch)
        found = best_taken(count, k, scratch)
        ends[row + 1] = put(scratch.key, found, track, score, ends[row])
    return ends, track[: ends[size]], score[: ends[size]]


@numba.njit((SPARSE, MATRIX, LONG, SCRATCH), **COMPILED)
def products(rows, matrix, terms, scratch):
    """(ends, column, value): each row times the matrix, columns in the order in which they were met; `terms` is
    the number of terms of all rows together."""
    size = len(rows.indptr) - 1
    ends = np.zeros(size + 1, dtype=np.int64)
    column, value = np.empty(terms, dtype=np.int32), np.empty(terms, dtype=np.float32)
    for row in range(size):
        done = ends[row]
        count = add_product(rows, row, matrix, 0, scratch)
        take(count, scratch)
        column[done : done + count] = scratch.touched[:count]
        value[done : done + count] = scratch.held[:count]
        ends[row + 1] = done + count
    return ends, column[: ends[size]], value[: ends[size]]


@numba.njit((SPARSE, LONG, BOOL, SCRATCH), **COMPILED)
def best_of_rows(rows, k, by_column, scratch):
    """(ends, column, value): the best `k` positive entries of each row, ties to the smaller columns; best first,
    or with `by_column` in the order of the columns."""
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


@numba.njit((SPARSE, MATRIX, read(LONG), read(INT), SCRATCH), **COMPILED)
def products_at(rows, matrix, bounds, sought, scratch):
    """float32: each row times the matrix at the columns `sought[bounds[row]:bounds[row + 1]]`, 0 without a term."""
    found = np.empty(len(sought), dtype=np.float32)
    for row in range(len(rows.indptr) - 1):
        count = add_product(rows, row, matrix, 0, scratch)
        for at in range(bounds[row], bounds[row + 1]):
            found[at] = scratch.total[sought[at]]
        take(count, scratch)
    return found
