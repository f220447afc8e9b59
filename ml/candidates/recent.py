"""What follows the tracks that a listener played last, whatever the session.

Belongs here: a listener's latest tracks as context for Home. Does not belong here: running sessions
(transitions).
"""

from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ml.candidates.generator import Candidates, FitInput
from ml.candidates.transitions import Walk, transition_matrix
from ml.state.log import Log
from ml.state.requests import DayListens, Requests
from ml.state.state import State

_LATEST = 8


def latest_tracks(requests: Requests, state: State, most: int) -> Requests:
    """The same requests with each listener's `most` latest tracks as session, the latest at the end.

    By the time since the track was last played, today's streams first; tracks played at the same instant,
    as in data dated by the month, stand in the order of their index.
    """
    if len(requests) == 1:
        return _latest_of_one(requests, state, most)
    owner, position = state.user_tracks.take(requests.user)
    item, age = (
        state.user_tracks.item[position],
        state.user_tracks.columns["last_played_age"][position],
    )
    if requests.day is not None and not requests.day.skipped.all():
        owner, item, age = _with_today(owner, item, age, requests.day)
    order = np.lexsort((item, age, owner))
    ordinal = np.arange(len(order)) - np.searchsorted(owner[order], owner[order])
    kept = order[ordinal < most]
    back = ordinal[ordinal < most]
    kept = kept[np.lexsort((-back, owner[kept]))]
    counts = np.bincount(owner[kept], minlength=len(requests))
    indptr: NDArray[np.int64] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return replace(requests, session_indptr=indptr, session_track=item[kept].astype(np.int32))


def _latest_of_one(requests: Requests, state: State, most: int) -> Requests:
    """The same of a single request: the order of the listener's tracks serves sources and features."""

    def ordered() -> NDArray[np.int32]:
        span = slice(*state.user_tracks.span(int(requests.user[0])))
        item = state.user_tracks.item[span]
        age = state.user_tracks.columns["last_played_age"][span]
        if requests.day is not None and not requests.day.skipped.all():
            owner = np.zeros(len(item), dtype=np.int64)
            _, item, age = _with_today(owner, item, age, requests.day)
        return item[np.lexsort((item, age))]

    latest = requests.once(state, "latest tracks", ordered)[:most][::-1]
    indptr = np.array([0, len(latest)], dtype=np.int64)
    return replace(requests, session_indptr=indptr, session_track=latest.astype(np.int32))


def _with_today(
    owner: NDArray[np.int64], item: NDArray[np.int32], age: NDArray[np.float32], day: DayListens
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """The same with today's streams, younger than everything before midnight, each track once."""
    streamed = np.flatnonzero(~day.skipped)
    owner = np.concatenate([owner, day.owner()[streamed]])
    item = np.concatenate([item, day.track[streamed]])
    age = np.concatenate([age, -1.0 - streamed]).astype(np.float32)
    order = np.lexsort((age, item, owner))
    owner, item = owner[order], item[order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (owner[1:] != owner[:-1]) | (item[1:] != item[:-1])
    return owner[first], item[first], age[order][first]


def listener_order(log: Log) -> Log:
    """The log with each listener's listens as one long session."""
    order = np.argsort(log.user, kind="stable").astype(np.int64)
    ordered = log.select(order)
    return replace(ordered, session=ordered.user)


class RecentWalk(Walk):
    """One and two steps from the listener's latest tracks, in the order in which listeners played them."""

    name: ClassVar[str] = "recent_walk"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Count pairs of a listener's tracks that lie within ten streams."""
        made = data.once(cls.name, lambda: transition_matrix(listener_order(data.log)))
        return cls(made)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """The walk from the eight latest tracks."""
        return super().generate(latest_tracks(requests, state, _LATEST), state, k)
