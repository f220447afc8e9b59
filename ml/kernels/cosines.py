"""Products of what is known of a request with its candidates' vectors.

Belongs here: dot products, one row after the other. Does not belong here: profiles (ml.state.taste).
"""

import numba
import numpy as np

from ml.kernels.ahead import ROWS, fetch, fetch_row
from ml.kernels.kinds import COMPILED, FLOAT, INT, LONG, QUICK, read, written

_NAN = np.float32(np.nan)
_LAST = 5
_DECAY = np.float32(0.7)


@numba.njit((read(FLOAT, 2), read(FLOAT, 2), read(INT), read(INT), written(FLOAT)), **QUICK)
def dots(left, right, left_row, right_row, out):
    """out[i] = left[left_row[i]] . right[right_row[i]]; the order of the sum is the same for every row."""
    for row in range(len(out)):
        if row + ROWS < len(out):
            fetch_row(right, right_row[row + ROWS])
        one, other, total = left_row[row], right_row[row], np.float32(0)
        for at in range(left.shape[1]):
            total += left[one, at] * right[other, at]
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


@numba.njit(**QUICK)
def mean_of(session, vectors, mean):
    """The last five tracks' vectors, each step back weighted by 0.7, added up and scaled to length 1 into `mean`;
    zeros without any."""
    mean[:] = np.float32(0)
    weight, squares = np.float32(1), np.float32(0)
    for back in range(min(_LAST, len(session))):
        track = session[len(session) - 1 - back]
        for at in range(len(mean)):
            mean[at] += weight * vectors[track, at]
        weight *= _DECAY
    for at in range(len(mean)):
        squares += mean[at] * mean[at]
    if squares > 0:
        mean /= np.sqrt(squares)


@numba.njit(
    (read(LONG), read(INT), read(FLOAT, 2), read(INT), read(INT), written(FLOAT, 2)), **QUICK
)
def session_cosines(indptr, session, vectors, request, track, out):
    """Into `out` (2, m): the candidate's vector against that of the session's last track, nan without one, and
    against the mean of its last tracks."""
    mean = np.empty(vectors.shape[1], dtype=np.float32)
    before = np.int64(-1)
    last = np.int64(-1)
    for row in range(len(track)):
        if row + ROWS < len(track):
            fetch_row(vectors, track[row + ROWS])
        asked = request[row]
        if asked != before:
            own = session[indptr[asked] : indptr[asked + 1]]
            mean_of(own, vectors, mean)
            last = np.int64(own[-1]) if len(own) else np.int64(-1)
            before = np.int64(asked)
        near, middle = np.float32(0), np.float32(0)
        if last >= 0:
            for at in range(len(mean)):
                value = vectors[track[row], at]
                near += vectors[last, at] * value
                middle += mean[at] * value
        out[0, row] = near if last >= 0 else _NAN
        out[1, row] = middle
