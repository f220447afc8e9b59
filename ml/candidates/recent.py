"""What follows the tracks that a listener played last, whatever the session.

Belongs here: a listener's latest tracks as context for Home. Does not belong here: running sessions
(transitions).
"""

from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from ml.candidates.generator import Candidates, FitInput
from ml.candidates.transitions import Walk, transition_matrix
from ml.state.log import Log
from ml.state.requests import Requests, no_listens
from ml.state.rows import read_only
from ml.state.state import State

_LATEST = 8


def latest_tracks(requests: Requests, state: State, most: int) -> Requests:
    """The same requests with each listener's `most` latest tracks as session, the latest at the end.

    By the time since the track was last played, today's streams first; tracks played at the same instant,
    as in data dated by the month, stand in the order of their index.
    """
    from ml.kernels.listeners import latest

    pairs, day = state.user_tracks, requests.day or no_listens(len(requests))
    indptr, track = latest(
        read_only(pairs.indptr),
        read_only(pairs.item),
        read_only(pairs.columns["last_played_age"]),
        read_only(requests.user),
        read_only(day.indptr),
        read_only(day.track),
        read_only(day.skipped),
        most,
    )
    return replace(requests, session_indptr=indptr, session_track=track)


def own_latest(requests: Requests, state: State) -> Requests:
    """The same with the eight latest, made once for the source and the features."""
    return requests.once(state, "latest tracks", lambda: latest_tracks(requests, state, _LATEST))


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
        return super().generate(own_latest(requests, state), state, k)
