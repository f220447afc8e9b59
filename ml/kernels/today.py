"""What the day of a request has brought, beside what was known at its midnight.

Belongs here: times since a listener's own plays, at the request. Does not belong here: the running session
(sessions), columns of pairs as they are (pairs).
"""

import numba
import numpy as np

from ml.kernels.kinds import COMPILED, FLOAT, INT, LONG, read, written
from ml.kernels.look_up import place
from ml.kernels.runs import end_of
from ml.kernels.sessions import since


@numba.njit((read(LONG), read(INT), read(LONG), read(INT)), **COMPILED)
def joined(day_ends, day_track, session_ends, session_track):
    """(ends, track): each request's listens of the day, and behind them the tracks of its session that the day lacks: a
    session is told before its listens are stored."""
    size = len(day_ends) - 1
    ends = np.zeros(size + 1, dtype=np.int64)
    track = np.empty(len(day_track) + len(session_track), dtype=np.int32)
    for row in range(size):
        own, done = day_track[day_ends[row] : day_ends[row + 1]], ends[row]
        track[done : done + len(own)] = own
        done += len(own)
        for at in range(session_ends[row], session_ends[row + 1]):
            if not (own == session_track[at]).any():
                track[done] = session_track[at]
                done += 1
        ends[row + 1] = done
    return ends, track[: ends[size]]


@numba.njit(
    (
        *(read(LONG), read(INT), read(FLOAT), read(INT), read(LONG), read(INT), read(FLOAT)),
        *(read(INT), read(INT), written(INT), written(FLOAT, 2)),
    ),
    **COMPILED,
)
def since_columns(ends, heard, passed, user, indptr, item, age, request, sought, mark, out):
    """Into `out` (2, m): days since the listener last played what is sought, 0 where the day brought it, nan where never;
    and how many of the day's listens came after, nan where not today.

    `heard` are the day's listens of each request, oldest first; `age` of the pairs (indptr, item) is that at midnight, in
    days, and `passed` the days from then to each request. Rows of one request stand together.
    """
    longest = 1
    for asked in range(len(ends) - 1):
        longest = max(longest, ends[asked + 1] - ends[asked])
    count, start = np.empty(longest, dtype=np.int32), 0
    while start < len(request):
        asked, stop = request[start], end_of(request, start)
        own, part = heard[ends[asked] : ends[asked + 1]], out[:, start:stop]
        # The first row holds counts for a moment.
        since(own, sought[start:stop], mark, count, part[1], part[0])
        for row in range(stop - start):
            part[0, row] = np.float32(0)
            if np.isnan(part[1, row]):
                known = place(indptr, item, user[asked], sought[start + row])
                part[0, row] = age[known] + passed[asked] if known >= 0 else np.float32(np.nan)
        start = stop
