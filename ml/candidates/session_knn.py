"""Sessions like the running one, and what was in them.

Belongs here: nearest sessions (V-SkNN with idf; Ludewig et al. 2019). Does not belong here: pairs of tracks.
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Arrays, Candidates, FitInput
from ml.candidates.profiles import pack, session_profiles, unpack
from ml.candidates.session_item_item import session_rows
from ml.candidates.top import best_of_product, nearest_rows
from ml.state.requests import Requests
from ml.state.state import State

_SESSIONS = 50_000
_NEIGHBOURS = 200
_LAST = 10
_DECAY = 0.8


class SessionKnn:
    """The 200 most similar of the last 50,000 sessions vote with their similarity."""

    name: ClassVar[str] = "session_knn"
    surfaces: ClassVar[tuple[str, ...]] = ("now_playing",)

    def __init__(self, sessions: sparse.csr_matrix) -> None:
        self._sessions = sessions
        count = np.asarray(sessions.sum(axis=0)).ravel()
        idf = np.log((sessions.shape[0] + 1.0) / (count + 1.0)).astype(np.float32)
        length = np.sqrt(np.maximum(np.diff(sessions.indptr), 1)).astype(np.float32)
        weighted = (sparse.diags(1.0 / length) @ sessions @ sparse.diags(idf)).astype(np.float32)
        self._by_track = weighted.T.tocsr()

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Keep the most recent sessions of two streams or more."""
        rows = session_rows(data.log)
        rows = rows[np.flatnonzero(np.diff(rows.indptr) > 1)]
        return cls(rows[max(0, rows.shape[0] - _SESSIONS) :])

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Similarity = sum of idf over shared tracks, later ones heavier, over the root of the length."""
        profile = session_profiles(requests, state.catalogue.size, last=_LAST, decay=_DECAY)
        return best_of_product(
            nearest_rows(profile, self._by_track, _NEIGHBOURS), self._sessions, k
        )

    def arrays(self) -> Arrays:
        """The sessions."""
        return pack(self._sessions)

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32], tracks: int) -> Self:
        """From the stored sessions."""
        stored = unpack(arrays, len(position)).tocoo()
        column = position[stored.col]
        kept = column >= 0
        shape = (stored.shape[0], tracks)
        moved = sparse.csr_matrix(
            (stored.data[kept], (stored.row[kept], column[kept])), shape=shape
        )
        moved.sort_indices()
        return cls(moved)
