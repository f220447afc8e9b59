"""The largest inner products within the lists that are nearest to a query.

Belongs here: which lists are looked through, the products with their rows, the best of them. Does not belong here:
how rows were divided among lists (ml.candidates.near).
"""

import numba
import numpy as np

from ml.kernels.ahead import ROWS, fetch, fetch_row
from ml.kernels.dense import dot
from ml.kernels.kinds import COMPILED, FLOAT, INT, LONG, QUICK, SCRATCH, read
from ml.kernels.select import best_keys, cut, put

# Codes of one line of the cache, and rows of codes asked for ahead.
_LINE, _AHEAD = 64, 32


@numba.njit(**QUICK)
def _mark(query, centres, half, longest, near, marked):
    """Mark the lists nearest to a query that is scaled to the longest row's length, as many as `near` has places; none
    for a zero query, to which nothing is near."""
    length = np.sqrt(dot(query, query))
    if length == 0:
        return
    scale, count = longest / length, 0
    far = np.empty(len(near), dtype=np.float32)
    for one in range(len(centres)):
        away = half[one] - scale * dot(query, centres[one])
        if count == len(near) and away >= far[count - 1]:
            continue
        at = min(count, len(near) - 1)
        count = min(count + 1, len(near))
        while at > 0 and away < far[at - 1]:
            near[at], far[at] = near[at - 1], far[at - 1]
            at -= 1
        near[at], far[at] = one, away
    for at in range(count):
        marked[near[at]] = True


@numba.njit(**QUICK)
def _coded(query, code):
    """The query in 255 steps, int16, so that products of two fit 32 bits; the size of a step."""
    most = np.float32(0)
    for axis in range(len(query)):
        most = max(most, abs(query[axis]))
    step = most / np.float32(127) if most > 0 else np.float32(1)
    for axis in range(len(query)):
        code[axis] = np.int16(np.rint(query[axis] / step))
    return step


@numba.njit(**COMPILED)
def _product(code, row):
    """The inner product of coded vectors; in 32 bits, which numba would widen to 64 at every step."""
    total = np.int32(0)
    for axis in range(len(code)):
        total = np.int32(total + np.int32(np.int32(row[axis]) * np.int32(code[axis])))
    return total


@numba.njit(**QUICK)
def _scan(queries, marked, bounds, codes, scale, place, score):
    """Coded products of the rows of marked lists with the query that is nearest to each; how many."""
    asked, width = np.empty(queries.shape, dtype=np.int16), codes.shape[1]
    step = np.empty(len(queries), dtype=np.float32)
    for number in range(len(queries)):
        step[number] = _coded(queries[number], asked[number])
    count = 0
    for one in range(len(marked)):
        if not marked[one]:
            continue
        for at in range(bounds[one], bounds[one + 1]):
            for axis in range(0, width, _LINE):
                fetch(codes, min(at + _AHEAD, len(codes) - 1) * width + axis)
            best = np.float32(_product(asked[0], codes[at])) * step[0]
            for number in range(1, len(queries)):
                best = max(best, np.float32(_product(asked[number], codes[at])) * step[number])
            place[count], score[count] = at, best * scale[at]
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
def _again(queries, table, track, count, again, step, scratch):
    """The best `again` of the coded products above zero in `scratch`, computed anew in steps: `scratch.held` by track in
    `scratch.touched`, as many as are returned."""
    place, score, kept = scratch.touched, scratch.held, 0
    bits = score.view(np.int32)
    bound = max(cut(bits, 0, count, again, scratch.bucket), np.int32(1))
    for at in range(count):
        if bits[at] >= bound:
            place[kept] = track[place[at]]
            kept += 1
    for at in range(min(ROWS, kept)):
        fetch_row(table, place[at])
    for at in range(kept):
        fetch_row(table, place[min(at + ROWS, kept - 1)])
        best = _exact(queries[0], table[place[at]])
        for number in range(1, len(queries)):
            best = max(best, _exact(queries[number], table[place[at]]))
        score[at] = np.float32(np.rint(best / step) * step)
    return kept


@numba.njit(
    (
        read(FLOAT, 3),
        numba.types.Tuple((read(FLOAT, 2), read(FLOAT), FLOAT, read(LONG), read(INT))),
        read(numba.types.int8, 2),
        read(FLOAT),
        read(FLOAT, 2),
        LONG,
        LONG,
        FLOAT,
        SCRATCH,
    ),
    **COMPILED,
)
def best_of_lists(queries, lists, codes, scale, table, most, k, step, scratch):
    """(ends int64 (n + 1), track int32, score float32): the best `k` tracks of each request by the largest inner
    product with any of its queries (n, q, d) within the `most` lists nearest to each, in steps of `step`.

    `lists` are (centres, half, longest, bounds, track) of ml.candidates.near; `codes` times `scale` are nearly the rows of
    the lists, a quarter of whose memory is read; twice as many as are asked for are computed again from `table`.
    """
    centres, half, longest, bounds, track = lists
    size = len(queries)
    ends = np.zeros(size + 1, dtype=np.int64)
    found, score = np.empty(size * k, dtype=np.int32), np.empty(size * k, dtype=np.float32)
    bits = scratch.held.view(np.int32)
    marked = np.empty(len(centres), dtype=np.bool_)
    near = np.empty(min(most, len(centres)), dtype=np.int32)
    for row in range(size):
        marked[:] = False
        for number in range(queries.shape[1]):
            _mark(queries[row, number], centres, half, longest, near, marked)
        count = _scan(queries[row], marked, bounds, codes, scale, scratch.touched, scratch.held)
        count = _again(queries[row], table, track, count, 2 * k, step, scratch)
        best = best_keys(bits, scratch.touched, 0, count, k, scratch.bucket, scratch.key)
        ends[row + 1] = put(scratch.key, best, found, score, ends[row])
    return ends, found[: ends[size]], score[: ends[size]]
