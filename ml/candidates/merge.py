"""The union of all generators' candidates, each one's score and rank kept.

Belongs here: the pool and its size. Does not belong here: order among sources, which is the ranker's
work.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.candidates.generator import Candidates
from ml.candidates.top import top_of_long


@dataclass(frozen=True, slots=True)
class Pool:
    """m distinct (request, track), sorted by both: `request`, `track` int32 (m).

    `score`, `rank` float32 (generators, m), nan where the generator did not propose the track.
    """

    request: NDArray[np.int32]
    track: NDArray[np.int32]
    generators: tuple[str, ...]
    score: NDArray[np.float32]
    rank: NDArray[np.float32]

    def select(self, row: NDArray[np.int64]) -> "Pool":
        """The chosen rows in the given order."""
        return Pool(
            self.request[row],
            self.track[row],
            self.generators,
            self.score[:, row],
            self.rank[:, row],
        )


def merge(parts: Mapping[str, Candidates], limit: int | None = None) -> Pool:
    """Every (request, track) that any generator proposed, once.

    With `limit`, the `limit` best of each request by the sum over generators of 1 / rank, ties to the
    smaller track index.
    """
    width = np.int64(max((int(p.track.max(initial=0)) for p in parts.values()), default=0) + 1)
    keys = [part.request * width + part.track for part in parts.values()]
    union = np.unique(np.concatenate(keys)) if keys else np.zeros(0, dtype=np.int64)
    score = np.full((len(parts), len(union)), np.nan, dtype=np.float32)
    rank = np.full((len(parts), len(union)), np.nan, dtype=np.float32)
    for row, (key, part) in enumerate(zip(keys, parts.values(), strict=True)):
        at = np.searchsorted(union, key)
        score[row, at] = part.score
        rank[row, at] = part.rank
    request, track = (union // width).astype(np.int32), (union % width).astype(np.int32)
    pool = Pool(request, track, tuple(parts), score, rank)
    return pool if limit is None else pool.select(_best(pool, limit))


def _best(pool: Pool, limit: int) -> NDArray[np.int64]:
    reciprocal = np.nansum(1.0 / pool.rank, axis=0).astype(np.float32)
    row = np.arange(len(pool.request), dtype=np.int32)
    kept = top_of_long(pool.request, row, reciprocal, limit)
    return np.sort(kept.track).astype(np.int64)
