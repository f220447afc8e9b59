"""What follows what in a session, one step and two steps away.

Belongs here: pair counts with distance decay and the walk on them. Does not belong here: sessions as
sets (session_item_item, session_knn).
"""

from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Arrays, Candidates, FitInput
from ml.candidates.profiles import pack, session_profiles, unpack_square
from ml.candidates.top import best_of_product, candidates_of, top_of_rows
from ml.state.log import Log
from ml.state.requests import Requests
from ml.state.state import State

_WINDOW = 10
# The latest streams only: three million make 30 million pairs, about 1.5 GB while fitting.
_STREAMS = 3_000_000
_BACKWARD = 0.6
_LAST = 8
_DECAY = 0.7
_KEPT = 200
# The walk goes over the strongest edges of the 100 strongest tracks one step away.
_EDGES = 60
_REACHED = 100
_TWO_HOPS = 3.0


def transition_matrix(log: Log, most: int = _STREAMS) -> sparse.csr_matrix:
    """P(j | i) float32 (tracks, tracks): streams within ten steps weigh 1 / distance forward and
    0.6 / distance backward; rows are divided by their sum, so a row is a distribution. It learns from
    the latest `most` streams."""
    streams = log.select(np.flatnonzero(log.is_stream)[-most:])
    source, target, weight = [], [], []
    for distance in range(1, _WINDOW + 1):
        same = streams.session[:-distance] == streams.session[distance:]
        source.append(streams.track[:-distance][same])
        target.append(streams.track[distance:][same])
        weight.append(np.full(int(same.sum()), 1.0 / distance, dtype=np.float32))
    forward = sparse.csr_matrix(
        (np.concatenate(weight), (np.concatenate(source), np.concatenate(target))),
        shape=(log.tracks, log.tracks),
    )
    both = (forward + _BACKWARD * forward.T).tocsr()
    total = np.asarray(both.sum(axis=1)).ravel()
    scale = sparse.diags(1.0 / np.where(total > 0, total, 1.0)).astype(np.float32)
    return top_of_rows((scale @ both).tocsr(), _KEPT)


class Transitions:
    """Next tracks of the running session's tracks."""

    name: ClassVar[str] = "transitions"
    surfaces: ClassVar[tuple[str, ...]] = ("now_playing",)

    def __init__(self, matrix: sparse.csr_matrix) -> None:
        self.relation = matrix

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Count pairs in all sessions."""
        return cls(data.once("transitions", lambda: transition_matrix(data.log)))

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Transitions out of the last eight tracks, each step back weighted by 0.7."""
        profile = session_profiles(requests, state.catalogue.size, last=_LAST, decay=_DECAY)
        return best_of_product(profile, self.relation, k)

    def arrays(self) -> Arrays:
        """The sparse matrix."""
        return pack(self.relation)

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32], tracks: int) -> Self:
        """From the stored matrix."""
        return cls(unpack_square(arrays, position, tracks))


class Walk(Transitions):
    """One step plus three times two steps on the transition graph.

    On #nowplaying sessions fewer than half of the next tracks co-occur with the session directly, two
    steps reach most of the rest. The second step is taken when a request comes: walking from every
    track beforehand costs 36 s a fit at 60,000 tracks and keeps no more than the best 200 a track.
    """

    name: ClassVar[str] = "walk"

    @cached_property
    def _edges(self) -> sparse.csr_matrix:
        return top_of_rows(self.relation, _EDGES)

    def arrays(self) -> Arrays:
        """The matrix and its strongest edges: choosing them takes a second at 100,000 tracks."""
        edges = {f"edges_{name}": array for name, array in pack(self._edges).items()}
        return {**super().arrays(), **edges}

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32], tracks: int) -> Self:
        """From the stored matrix; where tracks are gone the edges are chosen again when first asked."""
        made = super().restore(arrays, position, tracks)
        if "edges_data" in arrays and (position >= 0).all():
            stored = {name: arrays[f"edges_{name}"] for name in ("data", "indices", "indptr")}
            made.__dict__["_edges"] = unpack_square(stored, position, tracks)
        return made

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """P + 3 P P out of the last eight tracks, P P over the 60 strongest edges of each track."""
        from ml.kernels.scratch import scratch
        from ml.kernels.sparse import best_of_walks

        size = state.catalogue.size
        rows = session_profiles(requests, size, last=_LAST, decay=_DECAY)
        matrix, edges = rows.against(self.relation), rows.against(self._edges)
        with scratch(size) as held:
            found = best_of_walks(
                rows.arrays(), matrix, edges, _REACHED, np.float32(_TWO_HOPS), k, held
            )
        return candidates_of(found)
