"""Tracks that the same listeners play: cosine on decayed profiles.

Belongs here: cosine neighbours, and those learned from listeners. Does not belong here: sessions
(session_item_item, transitions), the linear model (ease).
"""

from itertools import pairwise
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Arrays, Candidates, FitInput
from ml.candidates.profiles import pack, unpack_square
from ml.candidates.top import best_of_product, top_of_rows
from ml.state.requests import Requests
from ml.state.state import State
from ml.state.taste import taste_rows, tastes_of

# Neighbours kept a track, and tracks used a listener: they bound memory and time.
NEIGHBOURS = 100
PROFILE = 60
_FIT_PROFILE = 300
_ROWS = 2_000
# Products of a block of columns in the fit: 16 million are about half a GB with what is made of them.
_PRODUCTS = 16_000_000


def cosine_neighbours(
    rows: sparse.csr_matrix,
    *,
    shrink: float,
    own: float = 0.5,
    neighbours: int = NEIGHBOURS,
) -> sparse.csr_matrix:
    """Similarity of the columns of a (listeners or sessions, tracks) matrix, best of each row, no self.

    s_ij = <x_i, x_j> / (|x_i|^2own |x_j|^(2 - 2own) + shrink): the cosine for `own` = 1/2, closer to
    P(j | i) above it (asymmetric cosine; Aiolli 2013). Computed in blocks of tracks, so that no dense
    item-item array ever exists.
    """
    columns = rows.tocsc()
    square = np.asarray(columns.multiply(columns).sum(axis=0), dtype=np.float32).ravel()
    left, right = square**own, square ** (1.0 - own)
    blocks = []
    edges = block_edges(rows, _PRODUCTS)
    for start, stop in pairwise(edges):
        dots = (columns[:, start:stop].T @ rows).tocoo()
        kept = dots.col != dots.row + start
        row, column = dots.row[kept], dots.col[kept]
        score = dots.data[kept] / (left[row + start] * right[column] + np.float32(shrink))
        block = sparse.csr_matrix((score, (row, column)), shape=(stop - start, rows.shape[1]))
        blocks.append(top_of_rows(block, neighbours))
    if not blocks:
        return sparse.csr_matrix((0, 0), dtype=np.float32)
    return sparse.vstack(blocks, format="csr")


def block_edges(rows: sparse.csr_matrix, products: int) -> list[int]:
    """Edges of blocks of columns, int from 0 to all, of at most 2,000 columns and, but for a column alone, about
    `products` stored products with all columns at most: popular tracks meet nearly every other one."""
    length = np.diff(rows.indptr)
    met = np.bincount(rows.indices, weights=np.repeat(length, length), minlength=rows.shape[1])
    passed = np.cumsum(np.minimum(met, rows.shape[1])) // products
    heavy = np.flatnonzero(np.diff(passed)) + 1
    return sorted({*range(0, rows.shape[1], _ROWS), *heavy.tolist(), rows.shape[1]})


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
