"""Tracks that the same listeners play: cosine on decayed profiles.

Belongs here: cosine neighbours, and those learned from listeners. Does not belong here: sessions
(session_item_item, transitions), the linear model (ease).
"""

from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Arrays, Candidates, FitInput
from ml.candidates.profiles import pack, unpack_square
from ml.candidates.top import best_of_product
from ml.state.requests import Requests
from ml.state.rows import matrix_of, read_only, rows_found, rows_of
from ml.state.state import State
from ml.state.taste import taste_rows, tastes_of

# Neighbours kept a track, and tracks used a listener: they bound memory and time.
NEIGHBOURS = 100
PROFILE = 60
_FIT_PROFILE = 300
# Popular tracks meet nearly every other one: many parts, so that no thread waits long for the other.
_PARTS, _THREADS = 64, 2


def cosine_neighbours(
    rows: sparse.csr_matrix,
    *,
    shrink: float,
    own: float = 0.5,
    neighbours: int = NEIGHBOURS,
) -> sparse.csr_matrix:
    """Similarity of the columns of a (listeners or sessions, tracks) matrix, best of each row, no self.

    s_ij = <x_i, x_j> / (|x_i|^2own |x_j|^(2 - 2own) + shrink): the cosine for `own` = 1/2, closer to
    P(j | i) above it (asymmetric cosine; Aiolli 2013). Track after track, so that no array of pairs ever exists.
    """
    columns = rows.tocsc()
    square = np.asarray(columns.multiply(columns).sum(axis=0), dtype=np.float32).ravel()
    size, weights = rows.shape[1], (square**own, square ** (1.0 - own))
    edges = np.linspace(0, size, min(_PARTS, size) + 1).astype(np.int64)

    def part(start: int, stop: int) -> sparse.csr_matrix:
        from ml.kernels.scratch import scratch
        from ml.kernels.sparse import neighbours as nearest

        asked = rows_of(columns[:, start:stop].T).arrays()
        left, right = (read_only(weight) for weight in weights)
        with scratch(size) as held:
            found = nearest(
                asked, matrix_of(rows), left, right, np.float32(shrink), start, neighbours, held
            )
        return rows_found(found, size).matrix()

    with ThreadPoolExecutor(_THREADS) as pool:
        blocks = list(pool.map(part, edges[:-1].tolist(), edges[1:].tolist()))
    if not blocks:
        return sparse.csr_matrix((0, 0), dtype=np.float32)
    return sparse.vstack(blocks, format="csr")


def fit_profiles(state: State, column: str) -> sparse.csr_matrix:
    """All listeners' tastes over tracks (ml.state.taste), the strongest 300 tracks each."""
    everybody = np.arange(len(state.user_tracks.indptr) - 1, dtype=np.int32)
    return tastes_of(state, column, everybody).strongest(_FIT_PROFILE).matrix()


class ItemItem:
    """Neighbours of the listener's tracks by cosine over all listeners."""

    name: ClassVar[str] = "item_item"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def __init__(self, matrix: sparse.csr_matrix) -> None:
        self.relation = matrix

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Cosine on profiles with a half-life of 63 days."""
        return cls(cosine_neighbours(fit_profiles(data.state, "streams_h63"), shrink=2.0))

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Profile (half-life 22 days, the strongest 60 tracks) times the matrix."""
        profile = taste_rows(requests, state, "streams_h22").strongest(PROFILE)
        return best_of_product(profile, self.relation, k)

    def arrays(self) -> Arrays:
        """The sparse matrix."""
        return pack(self.relation)

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32], tracks: int) -> Self:
        """From the stored matrix."""
        return cls(unpack_square(arrays, position, tracks))
