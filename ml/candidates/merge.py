"""The union of all generators' candidates, each one's score and rank kept.

Belongs here: the pool and its size. Does not belong here: order among sources, which is the ranker's
work.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.candidates.generator import Candidates


@dataclass(frozen=True, slots=True)
class Pool:
    """m distinct (request, track), sorted by both: `request`, `track` int32 (m).

    `score`, `rank` float32 (generators, m), nan where the generator does not reach the track.
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


def places(request: NDArray[np.int32]) -> NDArray[np.int32]:
    """1, 2, ... within each run of equal requests, int32 (m); `request` ascends."""
    return (np.arange(len(request)) - np.searchsorted(request, request) + 1).astype(np.int32)


def _first(keys: NDArray[np.int64], request: NDArray[np.int32], depth: int) -> NDArray[np.int64]:
    """The first `depth` keys of each request; `request` ascends."""
    if len(request) and request[0] == request[-1]:
        return keys[:depth]
    return keys[places(request) <= depth]


def merge(parts: Mapping[str, Candidates], depths: Mapping[str, int]) -> Pool:
    """Every (request, track) within the depth of any generator, once.

    A generator may bring more than its depth: what others proposed then has its score and rank too,
    but nothing enters the pool by it. What a generator thinks of the others' tracks is evidence.
    A part with tracks left out keeps the ranks of the whole list: what is left enters by its place.
    """
    width = np.int64(max((int(p.track.max(initial=0)) for p in parts.values()), default=0) + 1)
    keys = {name: part.request * width + part.track for name, part in parts.items()}
    proposed = [_first(keys[name], part.request, depths[name]) for name, part in parts.items()]
    union = np.sort(np.concatenate(proposed)) if proposed else np.zeros(0, dtype=np.int64)
    # np.unique would hash first, which is slower than this sort.
    union = union[np.diff(union, prepend=-1) > 0]
    score = np.full((len(parts), len(union)), np.nan, dtype=np.float32)
    rank = np.full((len(parts), len(union)), np.nan, dtype=np.float32)
    for row, (name, part) in enumerate(parts.items()):
        at = np.searchsorted(union, keys[name])
        known = np.flatnonzero(union.take(at, mode="clip") == keys[name]) if len(union) else at[:0]
        at = at[known]
        score[row, at] = part.score[known]
        rank[row, at] = part.rank[known]
    request, track = (union // width).astype(np.int32), (union % width).astype(np.int32)
    return Pool(request, track, tuple(parts), score, rank)
