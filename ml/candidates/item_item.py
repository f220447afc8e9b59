"""Tracks that the same listeners play: cosine on decayed profiles, and EASE.

Belongs here: item-item matrices learned from listeners. Does not belong here: sessions
(session_item_item, transitions).
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Arrays, Candidates, FitInput
from ml.candidates.profiles import listener_profiles, pack, unpack_square
from ml.candidates.top import top_of_rows, top_of_sparse
from ml.state.requests import Requests
from ml.state.state import State

# Neighbours kept a track, and tracks used a listener: they bound memory and time.
NEIGHBOURS = 100
PROFILE = 60
_FIT_PROFILE = 300
_ROWS = 2_000


def cosine_neighbours(
    rows: sparse.csr_matrix, *, shrink: float, neighbours: int = NEIGHBOURS
) -> sparse.csr_matrix:
    """Cosine of the columns of a (listeners or sessions, tracks) matrix, best of each row, no self.

    s_ij = <x_i, x_j> / (|x_i| |x_j| + shrink); computed 2,000 tracks at a time, so that no dense
    item-item array ever exists.
    """
    columns = rows.tocsc()
    length = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=0)).ravel())
    blocks = []
    for start in range(0, rows.shape[1], _ROWS):
        stop = min(start + _ROWS, rows.shape[1])
        dots = (columns[:, start:stop].T @ rows).tocoo()
        kept = dots.col != dots.row + start
        row, column = dots.row[kept], dots.col[kept]
        score = dots.data[kept] / (length[row + start] * length[column] + shrink)
        block = sparse.csr_matrix((score, (row, column)), shape=(stop - start, rows.shape[1]))
        blocks.append(top_of_rows(block, neighbours))
    if not blocks:
        return sparse.csr_matrix((0, 0), dtype=np.float32)
    return sparse.vstack(blocks, format="csr")


def fit_profiles(state: State, column: str) -> sparse.csr_matrix:
    """All listeners' rows log(1 + column) over tracks, the strongest 300 tracks each."""
    pairs = state.user_tracks
    whole = sparse.csr_matrix(
        (np.log1p(pairs.columns[column]), pairs.item, pairs.indptr),
        shape=(len(pairs.indptr) - 1, pairs.items),
    )
    return top_of_rows(whole, _FIT_PROFILE)


class ItemItem:
    """Neighbours of the listener's tracks by cosine over all listeners."""

    name: ClassVar[str] = "item_item"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def __init__(self, matrix: sparse.csr_matrix) -> None:
        self.matrix = matrix

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Cosine on profiles with a half-life of 63 days."""
        return cls(cosine_neighbours(fit_profiles(data.state, "streams_h63"), shrink=2.0))

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Profile (half-life 22 days) times the matrix."""
        profile = top_of_rows(listener_profiles(requests, state, "streams_h22"), PROFILE)
        return top_of_sparse(profile @ self.matrix, k)

    def arrays(self) -> Arrays:
        """The sparse matrix."""
        return pack(self.matrix)

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32], tracks: int) -> Self:
        """From the stored matrix."""
        return cls(unpack_square(arrays, position, tracks))


class Ease(ItemItem):
    """EASE^R (Steck 2019) on the most played tracks: the linear model every ranker must beat.

    G = X'X + lambda I, P = G^-1, B_ij = -P_ij / P_jj, B_jj = 0; the best 200 of each row are kept.
    """

    name: ClassVar[str] = "ease"
    # The inverse of 4,000 x 4,000 takes about 3 s on two cores and grows with the cube.
    tracks: ClassVar[int] = 4_000
    penalty: ClassVar[float] = 200.0

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Closed form on binary profiles of the last half year."""
        rows = fit_profiles(data.state, "streams_h180")
        rows.data[:] = 1.0
        size = rows.shape[1]
        count = np.asarray(rows.sum(axis=0)).ravel()
        chosen = np.sort(np.lexsort((np.arange(size), -count))[: cls.tracks])
        part = rows[:, chosen]
        gram = np.asarray((part.T @ part).todense(), dtype=np.float64)
        gram[np.diag_indices_from(gram)] += cls.penalty
        inverse = np.linalg.inv(gram)
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        weights[weights < 1e-4] = 0.0
        small = sparse.coo_matrix(weights.astype(np.float32))
        whole = sparse.csr_matrix(
            (small.data, (chosen[small.row], chosen[small.col])), shape=(size, size)
        )
        return cls(top_of_rows(whole, 200))
