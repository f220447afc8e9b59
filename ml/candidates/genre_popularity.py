"""Popular tracks of the listener's genres.

Belongs here: popularity seen through a genre profile. Does not belong here: text neighbours (content) or
popularity for everyone (popularity).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Candidates
from ml.candidates.stateless import Stateless
from ml.candidates.top import in_blocks, no_candidates, top_of_dense
from ml.state.requests import Requests
from ml.state.state import State
from ml.state.taste import taste_profiles

# Tracks looked at: beyond the most streamed ones popularity says nothing.
_TRACKS = 3_000
# Requests scored together: 500 x 3,000 floats are 6 MB.
_REQUESTS = 500


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
    return _Popular(track, np.log1p(streams[track]), sparse.diags(1.0 / length) @ genres)


class GenrePopularity(Stateless):
    """The most streamed tracks by popularity times the squared cosine of genres with the listener's.

    On HetRec Last.fm (artists with tags) this alone has NDCG@20 .077, popularity .066.
    """

    name: ClassVar[str] = "genre_popularity"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """log(1 + streams, half-life 63 days) times cosine^2, for listeners with known genres."""
        if not len(requests) or not state.catalogue.genres.nnz:
            return no_candidates()
        popular = state.once("popular by genre", lambda: _popular(state))

        def best(block: Requests) -> Candidates:
            profile = taste_profiles(block, state, None).genres
            cosine = np.asarray((popular.genres @ profile.T).T, dtype=np.float32)
            found = top_of_dense(np.square(cosine) * popular.weight, k)
            return Candidates(found.request, popular.track[found.track], found.score, found.rank)

        return in_blocks(requests, _REQUESTS, best)
