"""Matrix factorisation of who plays what (iALS; Hu et al. 2008, Rendle et al. 2022).

Belongs here: fitting item factors with `implicit` and folding listeners in at request time. Does not
belong here: listener factors, which would age with the bundle.
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ml.candidates.bounds import best_products
from ml.candidates.generator import Arrays, Candidates, FitInput
from ml.candidates.item_item import PROFILE, fit_profiles
from ml.candidates.near import NearLists
from ml.candidates.top import in_blocks, no_candidates, top_of_dense
from ml.state.catalogue import place_rows
from ml.state.requests import Requests
from ml.state.rows import read_only
from ml.state.state import State
from ml.state.taste import taste_rows

_FACTORS = 64
_ITERATIONS = 8
_REGULARISATION = 2.0
_ALPHA = 6.0
# Lists searched (ml.candidates.near). On a simulated world's factors (8,624 tracks, 179 lists) 48 hold .999 of
# the 60 best and .98 of the 180 best; on drawn ones (100,000 tracks, 632 lists) .98 and .95.
_NEAR = 48
# A block's scores are at most 16 million floats, 64 MB.
_BLOCK = 256
_FLOATS = 16_000_000


class Ials:
    """Tracks near the listener in the factor space."""

    name: ClassVar[str] = "ials"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def __init__(self, factors: NDArray[np.float32], lists: NearLists | None = None) -> None:
        self._factors = factors
        self._lists = lists
        gram = (factors.T @ factors).astype(np.float64)
        self._penalised = gram + _REGULARISATION * np.eye(factors.shape[1])

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Item factors from profiles with a half-life of 180 days."""
        from implicit.cpu.als import AlternatingLeastSquares  # 0.4 s
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        profiles = fit_profiles(data.state, "streams_h180")
        if not profiles.nnz:
            return cls(np.zeros((profiles.shape[1], _FACTORS), dtype=np.float32))
        # implicit runs its own threads: BLAS threads beside them are slower and warn.
        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                factors=_FACTORS,
                regularization=_REGULARISATION,
                alpha=_ALPHA,
                iterations=_ITERATIONS,
                num_threads=2,
                random_state=data.seed,
            )
            model.fit(profiles, show_progress=False)
        factors = np.asarray(model.item_factors, dtype=np.float32)
        return cls(factors, NearLists.make(factors, data.seed))

    def listener_factors(self, requests: Requests, state: State) -> NDArray[np.float32]:
        """Each listener's factor from their decayed profile, float32 (requests, 64), zero if unknown
        (ml.kernels.dense.folded_in)."""
        from ml.kernels.dense import folded_in

        profile = taste_rows(requests, state, "streams_h180").strongest(PROFILE)
        found: NDArray[np.float32] = folded_in(
            profile.arrays(),
            read_only(self._factors),
            read_only(self._penalised),
            np.float32(_ALPHA),
        )
        return found

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Highest inner products, computed in blocks of requests."""
        if not len(requests) or not len(self._factors):
            return no_candidates()

        def best(block: Requests) -> Candidates:
            wanted = self.listener_factors(block, state)
            if self._lists is not None:
                return self._lists.best(wanted[:, None, :], self._factors, k, _NEAR)
            exact = best_products(wanted[:, None, :], self._factors)
            return top_of_dense(wanted @ self._factors.T, k, exact)

        return in_blocks(requests, self._block(), best)

    def _block(self) -> int:
        if self._lists is not None:
            return _BLOCK
        return max(1, min(_BLOCK, _FLOATS // len(self._factors)))

    def arrays(self) -> Arrays:
        """The item factors, and the lists that divide them where they are many."""
        lists = {} if self._lists is None else self._lists.arrays()
        return {"factors": self._factors, **lists}

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32], tracks: int) -> Self:
        """From the stored factors; tracks that were not fitted have the zero factor."""
        factors = place_rows(np.asarray(arrays["factors"], dtype=np.float32), position, tracks)
        return cls(factors, NearLists.restore(arrays, position))
