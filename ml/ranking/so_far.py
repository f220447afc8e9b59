"""What the listeners of past requests had heard on the day by then, as serving would have known it if every listen of the
day had arrived at once: the log tells the day on which a listen became known, not the hour.

Belongs here: the day's listens before each of some rows of the log. Does not belong here: which rows ask
(ml.ranking.labels).
"""

from datetime import date

import numpy as np

from ml.state.log import Log, day_number
from ml.state.requests import DayListens

_DAY_SECONDS = 86_400


def heard_so_far(log: Log, day: date, asking: Log, tracks: int) -> DayListens:
    """What the listeners of the n rows of `asking` had heard from 00:00 UTC of `day` to when these were played.

    Only what was known on the day counts; a request without listener (-1) has no listens, tracks from `tracks` on
    are not known yet and left out.
    """
    start, user, at = day_number(day) * _DAY_SECONDS, asking.user, asking.played_at
    kept = (log.known_day == day_number(day)) & (log.played_at >= start) & (log.user >= 0)
    rows = np.flatnonzero(kept & (log.track < tracks))
    seconds = log.played_at[rows] - start
    order = np.lexsort((log.track[rows], seconds, log.user[rows]))
    rows, seconds = rows[order], seconds[order]
    # A listen known on its day lies less than a day after midnight; the key is (listener, second).
    key = log.user[rows].astype(np.int64) * _DAY_SECONDS + np.minimum(seconds, _DAY_SECONDS - 1)
    asked = np.maximum(user, 0).astype(np.int64) * _DAY_SECONDS
    first = np.searchsorted(key, asked)
    stop = np.searchsorted(key, asked + np.clip(at - start, 0, _DAY_SECONDS))
    count = np.where(user >= 0, np.maximum(stop - first, 0), 0)
    indptr = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    owner = np.repeat(np.arange(len(user), dtype=np.int64), count)
    chosen = rows[first[owner] + np.arange(len(owner)) - indptr[owner]]
    return DayListens(indptr, log.track[chosen], ~log.is_stream[chosen])
