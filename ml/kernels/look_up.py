"""Pairs looked up in compressed sparse rows.

Belongs here: where a (user, item) stands, and columns of what is known of it; whether a (request, track) is one
of the given. Does not belong here: what a column means. Rows need no order: each is looked up by itself.
"""

import numba
import numpy as np

from ml.kernels.kinds import BOOL, COMPILED, FLOAT, INT, LONG, read, written
from ml.kernels.runs import end_of

# Rows whose places are kept while column after column is written.
_TOGETHER = 1024
_NAN = np.float32(np.nan)
_SMALL = np.float32(1e-4)


@numba.njit(**COMPILED)
def log1p(value):
    """log(1 + value) to the last bit but one of float32: half the time of the library's."""
    if abs(value) < _SMALL:
        return np.float32(value - np.float32(0.5) * value * value)
    return np.float32(np.log(1.0 + value))


@numba.njit(**COMPILED)
def ratio(part, whole):
    """part / whole, nan where the whole is not above zero."""
    return np.float32(part / whole) if whole > 0 else _NAN


@numba.njit(**COMPILED)
def place(indptr, item, user, sought):
    """Where `sought` stands in the user's ascending items, -1 where it does not or either is negative."""
    if user < 0 or user >= len(indptr) - 1 or sought < 0:
        return -1
    low, count = indptr[user], indptr[user + 1] - indptr[user]
    if count == 0:
        return -1
    while count > 1:
        half = count >> 1
        # No branch to guess: half of the guesses would be wrong.
        low += half if item[low + half - 1] < sought else 0
        count -= half
    return low if item[low] == sought else -1


@numba.njit((read(LONG), read(INT), read(INT), read(INT)), **COMPILED)
def find(indptr, item, user, sought):
    """int64: the place of each (user, sought), -1 without one."""
    found = np.empty(len(user), dtype=np.int64)
    for row in range(len(user)):
        found[row] = place(indptr, item, user[row], sought[row])
    return found


@numba.njit(
    (
        read(LONG),
        read(INT),
        read(FLOAT, 2),
        read(BOOL),
        read(LONG),
        read(FLOAT),
        read(INT),
        read(INT),
        read(INT),
        written(FLOAT, 2),
    ),
    **COMPILED,
)
def known_pairs(indptr, item, values, is_age, named, total, user, request, sought, out):
    """Into `out` (columns + 2, m): each column of `values` (columns, pairs) at the pair of the row's user and
    `sought`, ages as they are (nan without a pair), sums as log(1 + x) (0 without); skips / plays; streams / the
    user's `total` (users). `named` are the columns of plays, skips and streams; `user` is by request."""
    columns = len(is_age)
    at, own = np.empty(_TOGETHER, dtype=np.int64), np.empty(_TOGETHER, dtype=np.float32)
    for start in range(0, len(sought), _TOGETHER):
        size = min(_TOGETHER, len(sought) - start)
        for row in range(size):
            who = user[request[start + row]]
            at[row] = place(indptr, item, who, sought[start + row])
            own[row] = total[who] if 0 <= who < len(total) else _NAN
        for column in range(columns):
            absent = _NAN if is_age[column] else np.float32(0)
            for row in range(size):
                held = absent
                if at[row] >= 0:
                    held = values[column, at[row]]
                    held = held if is_age[column] else log1p(held)
                out[column, start + row] = held
        for row in range(size):
            skip_rate, streams = _NAN, np.float32(0)
            if at[row] >= 0:
                streams = values[named[2], at[row]]
                skip_rate = ratio(values[named[1], at[row]], values[named[0], at[row]])
            out[columns, start + row] = skip_rate
            out[columns + 1, start + row] = ratio(streams, own[row])


@numba.njit((read(INT), read(INT), read(LONG), read(INT), written(INT), written(BOOL)), **COMPILED)
def among(request, track, indptr, given, mark, out):
    """True into `out` where `given[indptr[request]:indptr[request + 1]]` holds the row's track, which is below
    the length of `mark` (zeros) or is not held; the other rows stay."""
    start = 0
    while start < len(request):
        asked, stop = request[start], end_of(request, start)
        for at in range(indptr[asked], indptr[asked + 1]):
            mark[given[at]] = 1
        for row in range(start, stop):
            if track[row] < len(mark) and mark[track[row]]:
                out[row] = True
        for at in range(indptr[asked], indptr[asked + 1]):
            mark[given[at]] = 0
        start = stop
