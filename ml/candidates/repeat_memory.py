"""Tracks the listener comes back to.

Belongs here: base-level activation of own tracks, at home as it is, in a session weighted by how close
the track is to what plays. Does not belong here: unheard tracks.
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ml.candidates.generator import Arrays, Candidates, FitInput
from ml.candidates.power_law import activation
from ml.candidates.session_item_item import SessionItemItem
from ml.candidates.stateless import Stateless
from ml.candidates.top import top_of_long
from ml.state.requests import Requests
from ml.state.state import State

# Exponent of forgetting at home: .8 beats .5 and 1.2 on personal listening histories.
EXPONENT = 0.8
# A skip of the last days takes away this share of a stream's worth.
_SKIP_WEIGHT = 0.5


def memory(
    requests: Requests, state: State
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """(request, track, activation lowered by recent skips) of all own tracks."""
    owner, position = state.user_tracks.take(requests.user)
    columns = state.user_tracks.columns
    strength = activation(columns, position, EXPONENT)
    skips = columns["skips_h8"][position]
    score = strength / (1.0 + _SKIP_WEIGHT * skips)
    return owner, state.user_tracks.item[position], score.astype(np.float32)


class RepeatMemory(Stateless):
    """Own tracks by base-level activation (ACT-R)."""

    name: ClassVar[str] = "repeat_memory"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """The listener's strongest memories."""
        owner, track, score = memory(requests, state)
        return top_of_long(owner.astype(np.int32), track, score, k)


class SessionMemory:
    """Own tracks by activation times closeness to the session."""

    name: ClassVar[str] = "session_memory"
    surfaces: ClassVar[tuple[str, ...]] = ("now_playing",)

    def __init__(self, neighbours: SessionItemItem) -> None:
        self._neighbours = neighbours

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Learn which tracks share sessions."""
        return cls(SessionItemItem.fit(data))

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Own tracks that share sessions with what plays; without a session, the memory itself."""
        owner, track, score = memory(requests, state)
        near = self._neighbours.scores(requests, state)
        closeness = np.asarray(near[owner, track], dtype=np.float32).ravel()
        empty = requests.session_length()[owner] == 0
        weighted = np.sqrt(score) * np.where(empty, 1.0, closeness)
        return top_of_long(owner.astype(np.int32), track, weighted.astype(np.float32), k)

    def arrays(self) -> Arrays:
        """The neighbours' matrix."""
        return self._neighbours.arrays()

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32], tracks: int) -> Self:
        """From the stored matrix."""
        return cls(SessionItemItem.restore(arrays, position, tracks))


class PersonalPopularity(Stateless):
    """Own tracks by number of plays: the baseline that beats many published models."""

    name: ClassVar[str] = "personal_popularity"
    surfaces: ClassVar[tuple[str, ...]] = ("home", "now_playing")

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """The listener's most streamed tracks."""
        owner, position = state.user_tracks.take(requests.user)
        streams = state.user_tracks.columns["streams"][position]
        return top_of_long(owner.astype(np.int32), state.user_tracks.item[position], streams, k)
