"""Popular tracks of the listener's genres.

Belongs here: popularity seen through a genre profile. Does not belong here: text neighbours (content) or
popularity for everyone (popularity).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.bounds import STEP
from ml.candidates.generator import Candidates
from ml.candidates.stateless import Stateless
from ml.candidates.top import candidates_of, no_candidates
from ml.state.requests import Requests
from ml.state.rows import matrix_of, read_only
from ml.state.state import State
from ml.state.taste import genre_profiles

# Tracks looked at: beyond the most streamed ones popularity says nothing.
_TRACKS = 3_000


@dataclass(frozen=True, slots=True)
class _Popular:
    """The most streamed tracks, ascending; log(1 + decayed streams); their genres, rows of length 1."""

    track: NDArray[np.int32]
    weight: NDArray[np.float32]
    genres: sparse.csr_matrix


def _popular(state: State) -> _Popular:
    streams = state.tracks["streams_h63"]
    most = np.lexsort((np.arange(len(streams)), -streams))[:_TRACKS]
    track = np.sort(most).astype(np.int32)
    genres = state.catalogue.genres[track].astype(np.float32)
    length = np.sqrt(np.maximum(np.diff(genres.indptr), 1)).astype(np.float32)
    return _Popular(track, np.log1p(streams[track]), (sparse.diags(1.0 / length) @ genres).tocsr())


class GenrePopularity(Stateless):
    """The most streamed tracks by popularity times the squared cosine of genres with the listener's.

    On HetRec Last.fm (artists with tags) this alone has NDCG@20 .077, popularity .066.
    """

    name: ClassVar[str] = "genre_popularity"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """log(1 + streams, half-life 63 days) times cosine^2, for listeners with known genres."""
        from ml.kernels.genres import best_by_genre
        from ml.kernels.scratch import scratch

        if not len(requests) or not state.catalogue.genres.nnz:
            return no_candidates()
        popular = state.once("popular by genre", lambda: _popular(state))
        profile = genre_profiles(requests, state)
        with scratch(len(popular.track)) as held:
            found = best_by_genre(
                read_only(profile),
                matrix_of(popular.genres),
                read_only(popular.weight),
                read_only(popular.track),
                k,
                STEP,
                held,
            )
        return candidates_of(found)
