"""Vectors of listeners: centroids of what they play, and their factors.

Belongs here: sums over gathered rows of a dense table, a listener at a time. Does not belong here: searches among
all rows (near).
"""

import numba
import numpy as np

from ml.kernels.ahead import fetch_row
from ml.kernels.kinds import DOUBLE, FLOAT, LONG, QUICK, SPARSE, read


@numba.njit(**QUICK)
def dot(left, right):
    """The inner product of two vectors of one length."""
    total = left.dtype.type(0)
    for at in range(len(left)):
        total += left[at] * right[at]
    return total


@numba.njit(**QUICK)
def _begin(near, weight, centre):
    """Centres at the heaviest row, then at the row farthest from those so far; the first on ties."""
    far = np.full(len(near), np.float32(-2), dtype=np.float32)
    best = 0
    for at in range(1, len(near)):
        if weight[at] > weight[best]:
            best = at
    for number in range(len(centre)):
        centre[number] = near[best]
        best = 0
        for at in range(len(near)):
            far[at] = max(far[at], dot(near[at], centre[number]))
            if far[at] < far[best]:
                best = at


@numba.njit(**QUICK)
def _assign(near, centre, member):
    """Each row's nearest centre, the first on ties; whether any changed."""
    changed = False
    for at in range(len(near)):
        best, most = 0, dot(near[at], centre[0])
        for number in range(1, len(centre)):
            product = dot(near[at], centre[number])
            if product > most:
                best, most = number, product
        if member[at] != best:
            member[at] = best
            changed = True
    return changed


@numba.njit(**QUICK)
def _move(near, weight, member, centre):
    """Each centre to the direction of its rows' weighted sum; without any to zero."""
    centre[:] = 0
    for at in range(len(near)):
        for axis in range(near.shape[1]):
            centre[member[at], axis] += weight[at] * near[at, axis]
    for number in range(len(centre)):
        length = np.sqrt(dot(centre[number], centre[number]))
        if length > 0:
            for axis in range(near.shape[1]):
                centre[number, axis] /= length


@numba.njit((SPARSE, read(FLOAT, 2), LONG, LONG), **QUICK)
def centroids(rows, table, most, rounds):
    """float32 (n, most, d): spherical k-means of each row's columns in `table`, weighted by the row's values; unit
    vectors, or zero where a row is empty."""
    size, width = len(rows.indptr) - 1, table.shape[1]
    found = np.zeros((size, most, width), dtype=np.float32)
    for row in range(size):
        start, stop = rows.indptr[row], rows.indptr[row + 1]
        if start == stop:
            continue
        near = np.empty((stop - start, width), dtype=np.float32)
        for at in range(start, stop):
            fetch_row(table, rows.column[at])
        for at in range(start, stop):
            near[at - start] = table[rows.column[at]]
        weight = rows.value[start:stop]
        member = np.full(stop - start, -1, dtype=np.int64)
        _begin(near, weight, found[row])
        for _ in range(rounds):
            if not _assign(near, found[row], member):
                break
            _move(near, weight, member, found[row])
    return found


@numba.njit(**QUICK)
def _system(rows, row, table, alpha, left, right):
    """Add the weighted rows to both sides of the normal equations (lower half)."""
    width = table.shape[1]
    for at in range(rows.indptr[row], rows.indptr[row + 1]):
        fetch_row(table, rows.column[at])
    for at in range(rows.indptr[row], rows.indptr[row + 1]):
        near = table[rows.column[at]]
        confidence = np.float64(alpha * rows.value[at])
        for first in range(width):
            factor = (confidence - 1.0) * near[first]
            for second in range(first + 1):
                left[first, second] += factor * near[second]
            right[first] += confidence * near[first]
    for first in range(width):
        for second in range(first):
            left[second, first] = left[first, second]


@numba.njit((SPARSE, read(FLOAT, 2), read(DOUBLE, 2), FLOAT), **QUICK)
def folded_in(rows, table, penalised, alpha):
    """float32 (n, d): x = (Y'Y + Y'(C - I)Y + lambda I)^-1 Y'C p of each row, where `penalised` is Y'Y + lambda I
    and C holds `alpha` times the row's values; zero where a row is empty (Hu et al. 2008, equation 4)."""
    size, width = len(rows.indptr) - 1, table.shape[1]
    found = np.zeros((size, width), dtype=np.float32)
    for row in range(size):
        if rows.indptr[row] == rows.indptr[row + 1]:
            continue
        left, right = penalised.copy(), np.zeros(width, dtype=np.float64)
        _system(rows, row, table, alpha, left, right)
        found[row] = np.linalg.solve(left, right).astype(np.float32)
    return found
