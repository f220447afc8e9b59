"""What followed the same two tracks before: evidence from the session's last pairs.

Belongs here: pairs of tracks as context. Does not belong here: single tracks as context (transitions).
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Arrays, Candidates, FitInput
from ml.candidates.profiles import pack, unpack
from ml.candidates.top import best_of_product, top_of_rows
from ml.state.log import Log
from ml.state.requests import Requests
from ml.state.rows import Rows, read_only, rows_found
from ml.state.state import State

# The latest streams only: a million make 6 million (pair, follower) triples, about 100 MB while fitting.
_STREAMS = 3_000_000
_GAPS = (1, 2)
_AHEAD = (1, 2, 3)
_KEPT = 30
_SHRINK = 1.0
# Pairs of the session that ask, as (steps back, steps back): weight.
_CONTEXTS = {(1, 0): 1.0, (2, 0): 0.6, (2, 1): 0.4}
_STEPS = np.array(list(_CONTEXTS), dtype=np.int64)
_WEIGHTS = np.array(list(_CONTEXTS.values()), dtype=np.float32)

Triples = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]


def _keys(left: NDArray[np.int32], right: NDArray[np.int32], tracks: int) -> NDArray[np.int64]:
    """One number an unordered pair: who came first says little beside that both were there."""
    low, high = np.minimum(left, right).astype(np.int64), np.maximum(left, right)
    return low * tracks + high


def _triples(log: Log) -> Triples:
    """(pair, follower, weight): two streams one or two steps apart, and the three after the later one,
    weighing 1 / (gap * distance)."""
    streams = log.select(log.is_stream)
    streams = streams.select(np.arange(max(0, len(streams) - _STREAMS), len(streams)))
    track, session = streams.track, streams.session
    keys, followers, weights = [], [], []
    for gap in _GAPS:
        for ahead in _AHEAD:
            span = gap + ahead
            same = session[:-span] == session[span:]
            left, right = track[:-span][same], track[gap : len(track) - ahead][same]
            keys.append(_keys(left, right, log.tracks))
            followers.append(track[span:][same])
            weights.append(np.full(len(left), 1.0 / (gap * ahead), dtype=np.float32))
    return np.concatenate(keys), np.concatenate(followers), np.concatenate(weights)


class Suffix:
    """Followers of the session's last pairs of tracks."""

    name: ClassVar[str] = "suffix"
    surfaces: ClassVar[tuple[str, ...]] = ("now_playing",)

    def __init__(self, pairs: NDArray[np.int64], followers: sparse.csr_matrix) -> None:
        """`pairs` int64 (p) ascending, low * tracks + high; `followers` float32 (p, tracks)."""
        self._pairs = pairs
        self._followers = followers

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Count followers of pairs; a row is divided by its sum plus 1, so that once is not always."""
        keys, follower, weight = _triples(data.log)
        pairs, row = np.unique(keys, return_inverse=True)
        counts = sparse.csr_matrix(
            (weight, (row, follower)), shape=(len(pairs), data.log.tracks), dtype=np.float32
        )
        total = np.asarray(counts.sum(axis=1)).ravel()
        scale = sparse.diags((1.0 / (total + _SHRINK)).astype(np.float32))
        return cls(pairs, top_of_rows((scale @ counts).tocsr(), _KEPT))

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Followers of the last pair, and with less weight of the pairs around it."""
        context = self._contexts(requests, state.catalogue.size)
        return best_of_product(context, self._followers, k)

    def _contexts(self, requests: Requests, tracks: int) -> Rows:
        """Weights of the known pairs that each request's session ends with, rows over pairs."""
        from ml.kernels.recent import contexts

        found = contexts(
            read_only(requests.session_indptr),
            read_only(requests.session_track),
            read_only(self._pairs),
            tracks,
            read_only(_STEPS),
            read_only(_WEIGHTS),
        )
        return rows_found(found, len(self._pairs))

    def arrays(self) -> Arrays:
        """The pairs and their followers."""
        return {"pairs": self._pairs, **pack(self._followers)}

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32], tracks: int) -> Self:
        """From the stored pairs, which name tracks of the fitted catalogue."""
        stored = np.asarray(arrays["pairs"], dtype=np.int64)
        fitted = max(len(position), 1)
        left, right = position[stored // fitted], position[stored % fitted]
        kept = np.flatnonzero((left >= 0) & (right >= 0))
        keys = _keys(left[kept], right[kept], tracks)
        order = np.argsort(keys)
        moved = unpack(arrays, len(position))[kept[order]].tocoo()
        column = position[moved.col]
        alive = column >= 0
        followers = sparse.csr_matrix(
            (moved.data[alive], (moved.row[alive], column[alive])), shape=(len(kept), tracks)
        )
        followers.sort_indices()
        return cls(keys[order], followers)
