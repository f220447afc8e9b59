"""Tracks the listener comes back to.

Belongs here: base-level activation of own tracks. Does not belong here: unheard tracks, the running
session (session_memory), how fast listeners forget (forgetting).
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ml.candidates.forgetting import chosen_exponent
from ml.candidates.generator import Arrays, Candidates, FitInput
from ml.candidates.power_law import EXPONENT, strengths
from ml.candidates.top import best_of
from ml.state.requests import Requests
from ml.state.rows import Rows
from ml.state.state import State


def memory(requests: Requests, state: State, exponent: float = EXPONENT) -> Rows:
    """Activation, lowered by recent skips, of all own tracks; rows over tracks."""
    return strengths(state.user_tracks, requests.user, exponent)


class RepeatMemory:
    """Own tracks by base-level activation (ACT-R); the fit chooses the exponent of forgetting."""

    name: ClassVar[str] = "repeat_memory"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def __init__(self, exponent: float = EXPONENT) -> None:
        self.exponent = exponent

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Choose the exponent on the last days of what is known before `data.settled`."""
        past = data.log if data.settled is None else data.log.before(data.settled)
        return cls(chosen_exponent(past, data.seed))

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """The listener's strongest memories."""
        return best_of(memory(requests, state, self.exponent), k)

    def arrays(self) -> Arrays:
        """The exponent, float64 (1)."""
        return {"exponent": np.array([self.exponent])}

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32], tracks: int) -> Self:
        """With the stored exponent; bundles that were made before there was a choice have none."""
        del position, tracks
        return cls(float(arrays["exponent"][0])) if "exponent" in arrays else cls()
