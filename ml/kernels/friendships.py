"""What a listener's friends and circle hold of candidates.

Belongs here: sums over friends at the candidates of one request after the other. Does not belong here: who they
are (ml.candidates.circle). `total` are zeros by item, and are left so.
"""

import numba
import numpy as np

from ml.kernels.kinds import COMPILED, FLOAT, INT, MATRIX, SPARSE, read, written
from ml.kernels.pairs import log1p
from ml.kernels.runs import end_of

_NAN, _NONE, _ONE = np.float32(np.nan), np.float32(0), np.float32(1)


@numba.njit(**COMPILED)
def put_streamed(streams, friends, sought, total, out):
    """How many of the friends have streams of each sought item, 0 for -1."""
    for friend in friends:
        for at in range(streams.indptr[friend], streams.indptr[friend + 1]):
            if streams.value[at] > 0:
                total[streams.column[at]] += _ONE
    for row in range(len(sought)):
        out[row] = total[sought[row]] if sought[row] >= 0 else _NONE
    for friend in friends:
        for at in range(streams.indptr[friend], streams.indptr[friend + 1]):
            total[streams.column[at]] = _NONE


@numba.njit(**COMPILED)
def put_tastes(matrix, friends, sought, total, out):
    """The sum of the friends' rows at each sought track."""
    for friend in friends:
        for at in range(matrix.indptr[friend], matrix.indptr[friend + 1]):
            total[matrix.column[at]] += matrix.value[at]
    for row in range(len(sought)):
        out[row] = total[sought[row]]
    for friend in friends:
        for at in range(matrix.indptr[friend], matrix.indptr[friend + 1]):
            total[matrix.column[at]] = _NONE


@numba.njit(**COMPILED)
def put_circle(circle, own, row, sought, total, out):
    """The circle's taste of each sought track; its cosine with the listener's own is returned, nan where either is
    empty."""
    shared, square, own_square = 0.0, 0.0, 0.0
    for at in range(circle.indptr[row], circle.indptr[row + 1]):
        total[circle.column[at]] = circle.value[at]
        square += np.float64(circle.value[at]) * circle.value[at]
    for one in range(len(sought)):
        out[one] = total[sought[one]]
    for at in range(own.indptr[row], own.indptr[row + 1]):
        shared += np.float64(own.value[at]) * total[own.column[at]]
        own_square += np.float64(own.value[at]) * own.value[at]
    for at in range(circle.indptr[row], circle.indptr[row + 1]):
        total[circle.column[at]] = _NONE
    squares = square * own_square
    return np.float32(shared / np.sqrt(squares)) if squares > 0 else _NAN


@numba.njit(
    (
        *(SPARSE, SPARSE, SPARSE, MATRIX, SPARSE, SPARSE),
        *(read(FLOAT), read(INT), read(INT), read(INT), written(FLOAT), written(FLOAT, 2)),
    ),
    **COMPILED,
)
def friend_columns(
    friends, tracks, artists, tastes, circle, own, streams, artist, request, track, total, out
):
    """Into `out` (9, m): log(1 + friends who streamed the track), their share of those who streamed anything, the
    share who streamed its `artist`; what friends' `tastes` (users, tracks) hold of it and what the circle's does;
    from the seventh on log(1 + friends), log(1 + those who streamed anything) and the cosine of the circle's taste
    with the listener's own. The sixth stays.

    `tracks` and `artists` are rows of streams by user, `streams` those of users; `friends`, `circle` and `own` are
    rows by request.
    """
    start = 0
    while start < len(request):
        asked, stop = request[start], end_of(request, start)
        part, sought = out[:, start:stop], track[start:stop]
        follows = friends.column[friends.indptr[asked] : friends.indptr[asked + 1]]
        active = _NONE
        for friend in follows:
            active += np.float32(streams[friend] > 0)
        put_streamed(tracks, follows, sought, total, part[0])
        put_streamed(artists, follows, artist[sought], total, part[2])
        among = max(active, _ONE)
        part[2] /= among
        for row in range(stop - start):
            part[1, row] = part[0, row] / among
            part[0, row] = log1p(part[0, row])
        put_tastes(tastes, follows, sought, total, part[3])
        part[8] = put_circle(circle, own, asked, sought, total, part[4])
        part[6], part[7] = log1p(np.float32(len(follows))), log1p(active)
        start = stop
