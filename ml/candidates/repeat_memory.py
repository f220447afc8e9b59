"""Tracks the listener comes back to.

Belongs here: base-level activation of own tracks. Does not belong here: unheard tracks, the running
session (session_memory).
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ml.candidates.generator import Candidates
from ml.candidates.power_law import activation
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
