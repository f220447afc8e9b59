"""Columns of the ranker's matrix that are copied, spread or counted.

Belongs here: what sources, listeners and tracks bring by themselves. Does not belong here: pairs (pairs),
sessions (sessions), vectors (cosines). Each column is one row of memory.
"""

import numba
import numpy as np

from ml.kernels.ahead import ROWS, fetch_row
from ml.kernels.kinds import COMPILED, FLOAT, INT, LONG, read, written
from ml.kernels.pairs import log1p, ratio
from ml.kernels.runs import end_of

_NAN, _INFINITE = np.float32(np.nan), np.float32(np.inf)
_ONE = np.float32(1)
# Cormack et al. 2009.
_FUSION = np.float32(60)


@numba.njit((read(FLOAT, 2), read(FLOAT, 2), written(FLOAT, 2)), **COMPILED)
def sources(score, rank, out):
    """Into `out` (2 * generators + 3, m): each one's score and rank, how many have a rank, the sum of
    1 / (60 + rank), the best rank."""
    generators = len(rank)
    count, fusion, best = out[2 * generators], out[2 * generators + 1], out[2 * generators + 2]
    count[:], fusion[:], best[:] = np.float32(0), np.float32(0), _INFINITE
    for row in range(generators):
        out[2 * row] = score[row]
        out[2 * row + 1] = rank[row]
        for at in range(rank.shape[1]):
            # Infinitely far down adds nothing.
            held = rank[row, at] if rank[row, at] == rank[row, at] else _INFINITE
            count[at] += _ONE if held < _INFINITE else np.float32(0)
            fusion[at] += _ONE / (_FUSION + held)
            best[at] = min(best[at], held)


@numba.njit((read(FLOAT, 2), read(LONG), read(INT), read(INT), written(FLOAT, 2)), **COMPILED)
def habits(values, named, user, request, out):
    """Into `out` (8, m): what `values` (columns, users) tell of the row's listener, nan of unknown ones. `named`
    are the columns of streams, active_days, last_played_age, sessions, streams_h3, streams_h22, skips_h22,
    plays_h22, repeats_h22, new_tracks and plays; `user` is by request."""
    own, habit = np.empty(len(named), dtype=np.float32), np.empty(len(out), dtype=np.float32)
    start = 0
    while start < len(request):
        asked, stop = request[start], end_of(request, start)
        known = 0 <= user[asked] < values.shape[1]
        for column in range(len(named)):
            own[column] = values[named[column], user[asked]] if known else _NAN
        habit[0], habit[1], habit[2] = log1p(own[0]), log1p(own[1]), own[2]
        habit[3] = ratio(own[0], own[3])
        habit[4] = ratio(own[4], own[5])
        habit[5] = ratio(own[6], own[7])
        habit[6] = ratio(own[8], own[7])
        habit[7] = ratio(own[9], own[10])
        for column in range(len(out)):
            out[column, start:stop] = habit[column]
        start = stop


@numba.njit((read(FLOAT, 2), read(INT), written(FLOAT, 2)), **COMPILED)
def turned(table, row, out):
    """The table's chosen rows as columns: out[c, i] = table[row[i], c]."""
    for at in range(len(row)):
        if at + ROWS < len(row):
            fetch_row(table, row[at + ROWS])
        for column in range(table.shape[1]):
            out[column, at] = table[row[at], column]
