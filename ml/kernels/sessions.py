"""A candidate beside the tracks of a session.

Belongs here: steps back to the same track, artist and album, the clock, sound, and what matrices hold of two
tracks. Does not belong here: vectors (cosines). Rows of one request stand together, each track once.
"""

import numba
import numpy as np

from ml.kernels.ahead import fetch
from ml.kernels.kinds import COMPILED, FLOAT, INT, LONG, read, written
from ml.kernels.runs import end_of

_NAN = np.float32(np.nan)
_DAY, _HOUR = 86_400, 3_600.0
# 1970-01-01 was a Thursday.
_THURSDAY = 3
# Steps back at which relations are looked up.
_STEPS = 5


@numba.njit(**COMPILED)
def since(heard, sought, mark, count, steps, times):
    """The steps back to (nan without any) and the number of each candidate's own among the groups that were
    `heard`, oldest first; -1 is no group. `mark` are zeros by group, `count` has a place for every step."""
    for back in range(len(heard)):
        own = heard[len(heard) - 1 - back]
        if own >= 0:
            if mark[own] == 0:
                mark[own] = back + 1
                count[back] = 0
            count[mark[own] - 1] += 1
    for row in range(len(sought)):
        own = sought[row]
        latest = mark[own] if own >= 0 else 0
        steps[row] = np.float32(latest - 1) if latest else _NAN
        times[row] = np.float32(count[latest - 1]) if latest else np.float32(0)
    for own in heard:
        if own >= 0:
            mark[own] = 0


@numba.njit(**COMPILED)
def sound(session, audio, named, track, out):
    """The distance of each candidate from the session's last track in the named columns, nan without one."""
    for column in range(len(named)):
        last = audio[session[-1], named[column]] if len(session) else _NAN
        for row in range(len(track)):
            out[column, row] = abs(audio[track[row], named[column]] - last)


@numba.njit(
    (
        *(read(LONG), read(INT), read(LONG), read(INT), read(INT), read(FLOAT, 2), read(LONG)),
        *(read(INT), read(INT), written(INT), written(FLOAT, 2)),
    ),
    **COMPILED,
)
def session_columns(indptr, session, at, artist, album, audio, named, request, track, mark, out):
    """Into `out` (8 + named, m): the session's length; steps back to the candidate and how often it came; steps
    back to its artist and the artist's share; steps back to its album; hour and weekend of the request (`at`,
    epoch seconds); the distance in sound."""
    longest = 1
    for asked in range(len(indptr) - 1):
        longest = max(longest, indptr[asked + 1] - indptr[asked])
    count = np.empty(longest, dtype=np.int32)
    start = 0
    while start < len(request):
        asked, stop = request[start], end_of(request, start)
        own, sought = session[indptr[asked] : indptr[asked + 1]], track[start:stop]
        part = out[:, start:stop]
        part[0] = np.float32(len(own))
        since(own, sought, mark, count, part[1], part[2])
        # What albums count gives way to what artists do.
        since(album[own], album[sought], mark, count, part[5], part[4])
        since(artist[own], artist[sought], mark, count, part[3], part[4])
        part[4] /= np.float32(max(len(own), 1))
        part[6] = np.float32((at[asked] % _DAY) / _HOUR)
        part[7] = np.float32((at[asked] // _DAY + _THURSDAY) % 7 >= 5)
        sound(own, audio, named, sought, part[8:])
        start = stop


@numba.njit(**COMPILED)
def fetch_rows(indptr, column, value, sources):
    """Ask for where rows of a matrix begin: one would wait for the other."""
    for source in sources:
        fetch(indptr, source)
    for source in sources:
        fetch(column, indptr[source])
        fetch(value, indptr[source])


@numba.njit(
    (
        *(read(INT), read(INT), read(FLOAT), read(LONG), read(INT), read(INT), read(INT)),
        *(written(INT), written(FLOAT, 2)),
    ),
    **COMPILED,
)
def relations(indptr, column, value, ends, session, request, track, mark, out):
    """Into `out` (4, m): what the matrix (indptr, column, value) holds from the session's last track to the
    candidate, from the one before, the largest of the last five, how many of those are positive; 0 where nothing
    is stored."""
    out[:] = np.float32(0)
    start = 0
    while start < len(request):
        asked, stop = request[start], end_of(request, start)
        last = session[max(ends[asked], ends[asked + 1] - _STEPS) : ends[asked + 1]]
        fetch_rows(indptr, column, value, last)
        for row in range(start, stop):
            mark[track[row]] = row - start + 1
        for back in range(len(last)):
            source = last[len(last) - 1 - back]
            for place in range(indptr[source], indptr[source + 1]):
                row = start + mark[column[place]] - 1
                # What is stored is sought among the candidates: five rows hold less than five times those.
                if row >= start:
                    if back < 2:
                        out[back, row] = value[place]
                    out[2, row] = max(out[2, row], value[place])
                    out[3, row] += np.float32(value[place] > 0)
        for row in range(start, stop):
            mark[track[row]] = 0
        start = stop
