"""Tracks that have only just become known.

Belongs here: what is new, by the listener's bond with it. Does not belong here: anything fitted: tracks
newer than the fitted parts have no place in them, so artists and genres come from the state.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.bounds import STEP
from ml.candidates.generator import Candidates
from ml.candidates.stateless import Stateless
from ml.candidates.top import candidates_of, no_candidates
from ml.state.log import day_number
from ml.state.requests import Requests
from ml.state.rows import matrix_of, read_only
from ml.state.state import State
from ml.state.taste import genre_profiles

_DAYS = 14


def _fresh(state: State) -> tuple[NDArray[np.int32], sparse.csr_matrix]:
    """(tracks first known in the last two weeks, their genres, rows of length 1)."""
    age = day_number(state.valid_on) - state.catalogue.first_known_day
    fresh = np.flatnonzero(age <= _DAYS).astype(np.int32)
    genres = state.catalogue.genres[fresh].astype(np.float32)
    length = np.sqrt(np.maximum(np.diff(genres.indptr), 1)).astype(np.float32)
    return fresh, (sparse.diags(1.0 / length) @ genres).tocsr()


class Fresh(Stateless):
    """Tracks first known in the last two weeks, by the listener's bond with the artist and genres."""

    name: ClassVar[str] = "fresh"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """New tracks by log(1 + the artist's decayed streams) plus the cosine of genre profiles."""
        from ml.kernels.genres import best_of_new
        from ml.kernels.scratch import scratch

        fresh, genres = state.once("fresh", lambda: _fresh(state))
        # In the first weeks of a log everything is new: then nothing is news.
        if not len(fresh) or len(fresh) > state.catalogue.size // 2:
            return no_candidates()
        bonds = state.user_artists.rows("streams_h22", requests.user)
        with scratch(max(len(fresh), bonds.width)) as held:
            found = best_of_new(
                read_only(genre_profiles(requests, state)),
                bonds.arrays(),
                matrix_of(genres),
                read_only(state.catalogue.artist[fresh]),
                read_only(fresh),
                k,
                STEP,
                held,
            )
        return candidates_of(found)
