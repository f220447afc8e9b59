"""Requests of a past day and what the listener then played, with grades.

Belongs here: what counts as a request and as a good answer on each surface. Does not belong here:
candidates or features.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.ranking.so_far import heard_so_far
from ml.state.log import Log, day_number
from ml.state.requests import Requests
from ml.state.state import State

# Least grade that counts as a hit when lists are judged: a stream of the day at home, the very next
# stream in a session.
RELEVANT_GRADE = {"home": 2, "now_playing": 3}
_DAY_SECONDS = 86_400
_PARTIAL_MS = 10_000
_COMPLETE_SHARE = 0.8
# Streams that follow the next one in a session still say what fits it.
_FOLLOWING = 5


@dataclass(frozen=True, slots=True)
class LabelledRequests:
    """Requests and their graded truth, sorted by (request, track).

    `request` int32 index into `requests`, `track` int32, `grade` int8 from 1 to 4. Tracks that were
    not known at the request's day keep their index (beyond the day's catalogue): they count as misses.
    `listener` int32 (n) is the listener's index in the log, also where the state of the day does
    not know it yet: intervals resample listeners.
    """

    requests: Requests
    request: NDArray[np.int32]
    track: NDArray[np.int32]
    grade: NDArray[np.int8]
    listener: NDArray[np.int32]


def _known(user: NDArray[np.int32], state: State) -> NDArray[np.int32]:
    return np.where(user < len(state.user_ids), user, -1).astype(np.int32)


def _best_grades(
    request: NDArray[np.int32], track: NDArray[np.int32], grade: NDArray[np.int8]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int8]]:
    """The best grade of each (request, track), sorted by both."""
    order = np.lexsort((-grade, track, request))
    request, track, grade = request[order], track[order], grade[order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (request[1:] != request[:-1]) | (track[1:] != track[:-1])
    return request[first], track[first], grade[first]


def _sample(size: int, maximum: int, seed: int) -> NDArray[np.int64]:
    if size <= maximum:
        return np.arange(size, dtype=np.int64)
    chosen = np.random.default_rng(seed).choice(size, maximum, replace=False)
    return np.sort(chosen).astype(np.int64)


def _play_grades(log: Log, duration_ms: NDArray[np.float32]) -> NDArray[np.int8]:
    """0 = skipped within 10 s, 1 = 10 to 30 s, 2 = stream, 3 = at least 80 % of the track."""
    ms = log.ms_played
    grade = np.where(log.is_stream, 2, np.where(ms >= _PARTIAL_MS, 1, 0)).astype(np.int8)
    known = log.track < len(duration_ms)
    duration = np.where(known, duration_ms[np.where(known, log.track, 0)], np.nan)
    return np.where(log.is_stream & (ms >= _COMPLETE_SHARE * duration), 3, grade).astype(np.int8)


def _home_grades(
    day: Log, owner: NDArray[np.int32], duration_ms: NDArray[np.float32]
) -> NDArray[np.int8]:
    """`_play_grades`, and 4 where the row's `owner` streamed its track twice or more in `day`."""
    grade = _play_grades(day, duration_ms)
    pair = owner.astype(np.int64) * day.tracks + day.track
    _, inverse = np.unique(pair, return_inverse=True)
    streams = np.bincount(inverse, weights=day.is_stream)[inverse] if len(pair) else np.zeros(0)
    return np.where(streams >= 2, 4, grade).astype(np.int8)


def home_requests(
    log: Log,
    all_user_ids: pa.StringArray,
    state: State,
    *,
    maximum: int,
    seed: int,
    horizon: int = 1,
) -> LabelledRequests:
    """One Home request at 00:00 UTC for each listener who plays anything on the `horizon` days from
    `state.valid_on` on.

    Grades: 1 = 10 to 30 s, 2 = a stream, 3 = heard to 80 % or more, 4 = streamed twice or more in that time.
    """
    start = day_number(state.valid_on) * _DAY_SECONDS
    end = start + horizon * _DAY_SECONDS
    day = log.select((log.played_at >= start) & (log.played_at < end))
    listeners = np.unique(day.user)
    listeners = listeners[_sample(len(listeners), maximum, seed)]
    day = day.select(np.isin(day.user, listeners))
    owner = np.searchsorted(listeners, day.user).astype(np.int32)
    grade = _home_grades(day, owner, state.catalogue.duration_ms)
    kept = grade > 0
    truth = _best_grades(owner[kept], day.track[kept], grade[kept])
    users = all_user_ids.take(pa.array(listeners))
    ids = [f"home-{state.valid_on.isoformat()}-{user}" for user in users.to_pylist()]
    requests = Requests(
        surface="home",
        request_ids=pa.array(ids, pa.string()),
        user_ids=users,
        user=_known(listeners, state),
        at=np.full(len(listeners), start, dtype=np.int64),
        session_indptr=np.zeros(len(listeners) + 1, dtype=np.int64),
        session_track=np.zeros(0, dtype=np.int32),
    )
    return LabelledRequests(requests, *truth, listeners)


def now_playing_requests(
    log: Log,
    all_user_ids: pa.StringArray,
    state: State,
    *,
    maximum: int,
    seed: int,
    horizon: int = 1,
) -> LabelledRequests:
    """Requests inside the sessions of `state.valid_on`: the streams so far ask for the next one, which
    follows at once however long (`horizon`) Home's lists have to last.

    Grades: 3 = the next stream (4 when heard to 80 % or more), 1 = one of the four after it.
    """
    del horizon
    streams = log.select(log.is_stream)
    first = np.searchsorted(streams.session, streams.session)
    row = np.flatnonzero(
        (streams.known_day == day_number(state.valid_on)) & (np.arange(len(streams)) > first)
    )
    row = row[_sample(len(row), maximum, seed)]
    start, length = first[row], row - first[row]
    indptr = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    owner = np.repeat(np.arange(len(row), dtype=np.int64), length)
    session = streams.track[start[owner] + np.arange(len(owner)) - indptr[owner]]
    known = session < state.catalogue.size
    counts = np.bincount(owner[known], minlength=len(row))
    ids = [f"now_playing-{state.valid_on.isoformat()}-{number}" for number in row.tolist()]
    requests = Requests(
        surface="now_playing",
        request_ids=pa.array(ids, pa.string()),
        user_ids=all_user_ids.take(pa.array(streams.user[row])),
        user=_known(streams.user[row], state),
        at=streams.played_at[row],
        session_indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        session_track=session[known],
        day=heard_so_far(log, state.valid_on, streams.select(row), state.catalogue.size),
    )
    return LabelledRequests(requests, *_following(streams, row, state), streams.user[row])


def _following(
    streams: Log, row: NDArray[np.int64], state: State
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int8]]:
    """Graded truth of each target row: itself and the streams after it in its session."""
    step = np.arange(_FOLLOWING)
    ahead = row[:, None] + step[None, :]
    inside = ahead < len(streams)
    ahead = np.minimum(ahead, max(len(streams) - 1, 0))
    inside &= streams.session[ahead] == streams.session[row][:, None]
    complete = _play_grades(streams, state.catalogue.duration_ms)[ahead] == 3
    grade = np.where(step[None, :] == 0, np.where(complete, 4, 3), 1).astype(np.int8)
    owner = np.broadcast_to(np.arange(len(row), dtype=np.int32)[:, None], ahead.shape)
    return _best_grades(owner[inside], streams.track[ahead][inside], grade[inside])


LABELS = {"home": home_requests, "now_playing": now_playing_requests}
