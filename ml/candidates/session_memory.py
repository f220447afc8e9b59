"""Own tracks that suit the running session.

Belongs here: the listener's memory weighted by closeness to what plays. Does not belong here: memory on
its own (repeat_memory), unheard tracks (session_item_item).
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Arrays, Candidates, FitInput
from ml.candidates.repeat_memory import memory
from ml.candidates.session_item_item import SessionItemItem
from ml.candidates.top import best_of
from ml.state.requests import Requests
from ml.state.rows import Rows
from ml.state.state import State

# Closeness of a track that never shared a session with what plays: memory alone orders those.
_FLOOR = 0.01


class SessionMemory:
    """Own tracks by activation times closeness to the session."""

    name: ClassVar[str] = "session_memory"
    surfaces: ClassVar[tuple[str, ...]] = ("now_playing",)

    def __init__(self, neighbours: SessionItemItem) -> None:
        self._neighbours = neighbours

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Learn which tracks share sessions; without listeners there is no memory to weigh."""
        if not len(data.state.user_tracks.item):
            size = data.catalogue.size
            return cls(SessionItemItem(sparse.csr_matrix((size, size), dtype=np.float32)))
        return cls(SessionItemItem.fit(data))

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Own tracks near what plays first; without a session, the memory itself."""
        own = memory(requests, state)
        closeness = self._neighbours.closeness(requests, state, own)
        weighted = np.sqrt(own.value) * (np.float32(_FLOOR) + closeness)
        return best_of(Rows(own.indptr, own.column, weighted, own.width), k)

    def arrays(self) -> Arrays:
        """The neighbours' matrix."""
        return self._neighbours.arrays()

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32], tracks: int) -> Self:
        """From the stored matrix."""
        return cls(SessionItemItem.restore(arrays, position, tracks))
