"""The linear model that every ranker must beat: EASE^R (Steck 2019).

Belongs here: a baseline, never merged. Does not belong here: sources of the pool.
"""

from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from ml.candidates.generator import FitInput
from ml.candidates.item_item import ItemItem, fit_profiles
from ml.candidates.top import top_of_rows

# The inverse of 3,000 x 3,000 takes about 1.5 s on two cores and grows with the cube.
_TRACKS = 3_000
_PENALTY = 200.0
_KEPT = 200


class Ease(ItemItem):
    """EASE^R (Steck 2019) on the most played tracks: the linear model every ranker must beat.

    G = X'X + lambda I, P = G^-1, B_ij = -P_ij / P_jj, B_jj = 0; the best 200 positive weights of each row are kept.
    """

    name: ClassVar[str] = "ease"

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """With the default penalty on the default number of tracks."""
        return cls.fit_with(data, penalty=_PENALTY, tracks=_TRACKS)

    @classmethod
    def fit_with(cls, data: FitInput, *, penalty: float, tracks: int) -> Self:
        """Closed form on binary profiles of the `tracks` tracks most listeners stream."""
        rows = fit_profiles(data.state, "streams_h180")
        rows.data[:] = 1.0
        size = rows.shape[1]
        count = np.asarray(rows.sum(axis=0)).ravel()
        chosen = np.sort(np.lexsort((np.arange(size), -count))[:tracks])
        part = rows[:, chosen]
        gram = np.asarray((part.T @ part).todense(), dtype=np.float32)
        gram[np.diag_indices_from(gram)] += penalty
        inverse = np.linalg.inv(gram)
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        weights[weights < 1e-4] = 0.0
        small = sparse.coo_matrix(weights.astype(np.float32))
        whole = sparse.csr_matrix(
            (small.data, (chosen[small.row], chosen[small.col])), shape=(size, size)
        )
        return cls(top_of_rows(whole, _KEPT))
