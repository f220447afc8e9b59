"""Products of what is known of a request with its candidates' vectors.

Belongs here: means of vectors and cosines with them, one row after the other. Does not belong here: what weighs
them (ml.state.taste).
"""

import numba
import numpy as np

from ml.kernels.ahead import ROWS, fetch, fetch_row
from ml.kernels.kinds import COMPILED, FLOAT, INT, LONG, QUICK, SPARSE, read, written

_NAN = np.float32(np.nan)
# Of a session's last five tracks, the latest at the end.
_STEPS = np.float32(0.7) ** np.arange(4, -1, -1, dtype=np.float32)


@numba.njit(**QUICK)
def mean_of(column, weight, table, mean):
    """The weighted rows of the table added up and scaled to length 1 into `mean`; zeros without any."""
    mean[:] = np.float32(0)
    squares = np.float32(0)
    for at in range(min(ROWS, len(column))):
        fetch_row(table, column[at])
    for at in range(len(column)):
        if at + ROWS < len(column):
            fetch_row(table, column[at + ROWS])
        near, factor = table[column[at]], weight[at]
        for axis in range(len(mean)):
            mean[axis] += factor * near[axis]
    for axis in range(len(mean)):
        squares += mean[axis] * mean[axis]
    if squares > 0:
        mean /= np.sqrt(squares)


@numba.njit((SPARSE, read(FLOAT, 2), read(INT), read(INT), written(FLOAT)), **QUICK)
def text_cosines(rows, vectors, request, track, out):
    """The candidate's vector against the mean of the vectors that its request's row weights, 0 where that is
    empty."""
    mean, before = np.empty(vectors.shape[1], dtype=np.float32), -1
    for row in range(len(track)):
        if row + ROWS < len(track):
            fetch_row(vectors, track[row + ROWS])
        if request[row] != before:
            before = request[row]
            own = slice(rows.indptr[before], rows.indptr[before + 1])
            mean_of(rows.column[own], rows.value[own], vectors, mean)
        near, total = vectors[track[row]], np.float32(0)
        for axis in range(len(mean)):
            total += mean[axis] * near[axis]
        out[row] = total


@numba.njit(
    (read(FLOAT, 2), read(LONG), read(INT), read(INT), read(INT), written(FLOAT)), **COMPILED
)
def genre_cosines(profile, indptr, genre, request, track, out):
    """Each row's track's genres, each 1, against profile[request] of length 1; sums in double precision."""
    for row in range(len(out)):
        if row + 2 * ROWS < len(out):
            fetch(indptr, track[row + 2 * ROWS])
        if row + ROWS < len(out):
            fetch(genre, indptr[track[row + ROWS]])
        start, stop, total = indptr[track[row]], indptr[track[row] + 1], 0.0
        for at in range(start, stop):
            total += profile[request[row], genre[at]]
        out[row] = np.float32(total / np.sqrt(float(max(stop - start, 1))))


@numba.njit(
    (read(LONG), read(INT), read(FLOAT, 2), read(INT), read(INT), written(FLOAT, 2)), **QUICK
)
def session_cosines(indptr, session, vectors, request, track, out):
    """Into `out` (2, m): the candidate's vector against that of the session's last track, nan without one, and
    against the mean of its last five, each step back weighted by 0.7, 0 without any."""
    last, mean = np.empty((2, vectors.shape[1]), dtype=np.float32)
    before, start, stop = -1, 0, 0
    for row in range(len(track)):
        if row + ROWS < len(track):
            fetch_row(vectors, track[row + ROWS])
        if request[row] != before:
            before = request[row]
            start, stop = indptr[before], indptr[before + 1]
            recent = session[max(start, stop - len(_STEPS)) : stop]
            mean_of(recent, _STEPS[len(_STEPS) - len(recent) :], vectors, mean)
            last[:] = _NAN
            if stop > start:
                last[:] = vectors[session[stop - 1]]
        near, one, middle = vectors[track[row]], np.float32(0), np.float32(0)
        for axis in range(len(mean)):
            one += last[axis] * near[axis]
            middle += mean[axis] * near[axis]
        out[0, row], out[1, row] = one, middle
