"""Tracks whose words are near what the listener or the session plays.

Belongs here: neighbours of taste centroids and of the session in text space. Does not belong here:
encoding (ml.embeddings).
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ml.candidates.bounds import best_products
from ml.candidates.generator import Arrays, Candidates, FitInput
from ml.candidates.near import NearLists
from ml.candidates.profiles import session_profiles
from ml.candidates.top import no_candidates, stack, top_of_dense
from ml.state.catalogue import place_rows
from ml.state.requests import Requests
from ml.state.rows import read_only
from ml.state.state import State
from ml.state.taste import normalise, taste_rows

_CENTROIDS = 3
_PROFILE = 40
_ROUNDS = 3
# Lists searched for each centroid and for a session's mean (ml.candidates.near). On a simulated world's words
# (8,624 tracks, 185 lists) 16 hold all of the 60 best and .9997 of the 180 best; on words drawn with more
# chance (100,000 tracks, 632 lists) .94 and .92.
_NEAR_TASTE = 16
_NEAR_SESSION = 24
_LAST = 5
_DECAY = 0.7
# Floats of one block of scores: 20 million are 80 MB.
_FLOATS = 20_000_000
# Vectors that are compared with all queries of a request at once: 2,048 x 128 floats are 1 MB.
_CACHED = 2_048


def taste_centroids(
    requests: Requests, state: State, vectors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Up to three centroids of each listener's strongest tracks, float32 (requests, 3, d), unit or zero.

    Spherical k-means, begun at the strongest track and then at the track farthest from the centroids so far: an
    average alone describes no broad taste.
    """
    from ml.kernels.dense import centroids

    profile = taste_rows(requests, state, "streams_h22").strongest(_PROFILE)
    found: NDArray[np.float32] = centroids(
        profile.arrays(), read_only(vectors), _CENTROIDS, _ROUNDS
    )
    return found


class _Content:
    """The half that both surfaces share: vectors in, vectors out, best cosines."""

    def __init__(self, vectors: NDArray[np.float32], lists: NearLists | None = None) -> None:
        self._vectors = vectors
        self._lists = lists

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Take over the text vectors; without text there is nothing to be near to."""
        if data.vectors is None:
            return cls(np.zeros((data.catalogue.size, 0), dtype=np.float32))
        vectors = np.asarray(data.vectors, np.float32)
        lists = data.once("near vectors", lambda: NearLists.make(vectors, data.seed))
        return cls(vectors, lists)

    def _best(self, queries: NDArray[np.float32], k: int, searched: int) -> Candidates:
        """Best tracks by the largest cosine over each request's queries (requests, q, d)."""
        if self._lists is not None:
            return self._lists.best(queries, self._vectors, k, searched)
        size, centres, _ = queries.shape
        block = max(1, _FLOATS // max(1, centres * len(self._vectors)))
        starts = range(0, size, block)
        parts = []
        for start in starts:
            asked = queries[start : start + block]
            exact = best_products(asked, self._vectors)
            if len(asked) == 1:
                parts.append(top_of_dense(self._of_one(asked[0]), k, exact))
                continue
            scores = asked[:, 0] @ self._vectors.T
            for centre in range(1, centres):
                np.maximum(scores, asked[:, centre] @ self._vectors.T, out=scores)
            parts.append(top_of_dense(scores, k, exact))
        return stack(parts, list(starts))

    def _of_one(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """Largest cosine with the queries (q, d) of one request, float32 (1, tracks).

        All queries over a part of the vectors that stays in the cache: at 100,000 x 128 this takes
        4.8 ms, query after query 8.3 ms, one matrix product of three rows 13.6 ms.
        """
        scores = np.empty(len(self._vectors), dtype=np.float32)
        for start in range(0, len(scores), _CACHED):
            part, best = (rows[start : start + _CACHED] for rows in (self._vectors, scores))
            np.dot(part, queries[0], out=best)
            for query in queries[1:]:
                np.maximum(best, part @ query, out=best)
        return scores[None, :]

    def arrays(self) -> Arrays:
        """The vectors, and the lists that divide them where they are many."""
        lists = {} if self._lists is None else self._lists.arrays()
        return {"vectors": self._vectors, **lists}

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32], tracks: int) -> Self:
        """From the stored vectors; tracks without one are near to nothing."""
        vectors = place_rows(np.asarray(arrays["vectors"], dtype=np.float32), position, tracks)
        return cls(vectors, NearLists.restore(arrays, position))


class Content(_Content):
    """Neighbours of the listener's taste centroids."""

    name: ClassVar[str] = "content"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Tracks nearest to any of three centroids."""
        if not len(requests) or self._vectors.shape[1] == 0:
            return no_candidates()
        return self._best(taste_centroids(requests, state, self._vectors), k, _NEAR_TASTE)


class SessionContent(_Content):
    """Neighbours of the running session's mean."""

    name: ClassVar[str] = "session_content"
    surfaces: ClassVar[tuple[str, ...]] = ("now_playing",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Tracks nearest to the mean of the last five, each step back weighted by 0.7."""
        if not len(requests) or self._vectors.shape[1] == 0:
            return no_candidates()
        profile = session_profiles(requests, state.catalogue.size, last=_LAST, decay=_DECAY)
        mean = normalise(profile.dense(self._vectors))
        return self._best(mean[:, None, :], k, _NEAR_SESSION)
