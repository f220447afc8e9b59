"""Pairs looked up in compressed sparse rows.

Belongs here: where a (user, item) stands; whether a (request, track) is one of the given. Does not belong here:
what is known of it (pairs). Rows need no order: each is looked up by itself.
"""

import numba
import numpy as np

from ml.kernels.kinds import BOOL, COMPILED, INT, LONG, read, written
from ml.kernels.runs import end_of


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
