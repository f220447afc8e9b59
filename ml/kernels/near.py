"""The largest inner products within the lists that are nearest to a query.

Belongs here: which lists are looked through, the products with their rows, the best of them. Does not belong here:
how rows were divided among lists (ml.candidates.near).
"""

import numba
import numpy as np

from ml.kernels.ahead import ROWS, fetch_row
from ml.kernels.dense import dot
from ml.kernels.kinds import COMPILED, FLOAT, INT, LONG, QUICK, SCRATCH, read
from ml.kernels.select import best_keys, cut, put


@numba.njit(**QUICK)
def _mark(query, centres, half, longest, most, key, marked):
    """Mark the `most` lists nearest to a query that is scaled to the longest row's length; none for a zero query,
    to which nothing is near."""
    length = np.sqrt(dot(query, query))
    if length == 0:
        return
    scale = longest / length
    far = np.empty(len(centres), dtype=np.float32)
    bits = far.view(np.int32)
    for at in range(len(centres)):
        far[at] = half[at] - scale * dot(query, centres[at])
        # The bits of floats below zero fall as they rise.
        order = bits[at] if bits[at] >= 0 else np.int32(0x7FFFFFFF) ^ bits[at]
        key[at] = (np.int64(order) << 32) | at
    key[: len(centres)].sort()
    for at in range(min(most, len(centres))):
        marked[key[at] & 0xFFFFFFFF] = True


@numba.njit(**QUICK)
def _scan(queries, marked, bounds, rows, place, score):
    """Products of the rows of marked lists with the query that is nearest to each; how many."""
    count = 0
    for one in range(len(marked)):
        if not marked[one]:
            continue
        for at in range(bounds[one], bounds[one + 1]):
            fetch_row(rows, min(at + ROWS, len(rows) - 1))
            best = dot(queries[0], rows[at])
            for number in range(1, len(queries)):
                best = max(best, dot(queries[number], rows[at]))
            place[count], score[count] = at, best
            count += 1
    return count


@numba.njit(**QUICK)
def _exact(query, row):
    """The inner product in double precision."""
    total = 0.0
    for axis in range(len(query)):
        total += np.float64(query[axis]) * np.float64(row[axis])
    return total


@numba.njit(**QUICK)
def _again(queries, rows, track, count, k, step, scratch):
    """What rounding could place among the best `k` of `scratch`, computed again in steps: `scratch.held` by track in
    `scratch.touched`, as many as are returned."""
    place, score = scratch.touched, scratch.held
    bound = np.empty(1, dtype=np.float32)
    bound.view(np.int32)[0] = cut(score.view(np.int32), 0, count, k, scratch.bucket)
    floor, kept = bound[0] - np.float32(2.0) * step, 0
    for at in range(count):
        if score[at] >= floor:
            best = -np.inf
            for number in range(len(queries)):
                best = max(best, _exact(queries[number], rows[place[at]]))
            score[kept] = np.float32(np.rint(best / step) * step)
            place[kept] = track[place[at]]
            kept += 1
    return kept


@numba.njit(
    (
        read(FLOAT, 3),
        read(FLOAT, 2),
        read(FLOAT),
        FLOAT,
        read(LONG),
        read(INT),
        read(FLOAT, 2),
        LONG,
        LONG,
        FLOAT,
        SCRATCH,
    ),
    **COMPILED,
)
def best_of_lists(queries, centres, half, longest, bounds, track, rows, most, k, step, scratch):
    """(ends int64 (n + 1), track int32, score float32): the best `k` tracks of each request by the largest inner
    product with any of its queries (n, q, d) within the `most` lists nearest to each, in steps of `step`."""
    size = len(queries)
    ends = np.zeros(size + 1, dtype=np.int64)
    found, score = np.empty(size * k, dtype=np.int32), np.empty(size * k, dtype=np.float32)
    bits = scratch.held.view(np.int32)
    marked = np.empty(len(centres), dtype=np.bool_)
    for row in range(size):
        marked[:] = False
        for number in range(queries.shape[1]):
            _mark(queries[row, number], centres, half, longest, most, scratch.key, marked)
        count = _scan(queries[row], marked, bounds, rows, scratch.touched, scratch.held)
        count = _again(queries[row], rows, track, count, k, step, scratch)
        best = best_keys(bits, scratch.touched, 0, count, k, scratch.bucket, scratch.key)
        ends[row + 1] = put(scratch.key, best, found, score, ends[row])
    return ends, found[: ends[size]], score[: ends[size]]
