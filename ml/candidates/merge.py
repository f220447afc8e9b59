"""The union of all generators' candidates, each one's score and rank kept.

Belongs here: the pool and its size. Does not belong here: order among sources, which is the ranker's
work.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.candidates.generator import Candidates
from ml.state.rows import places_among


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
    start = request.searchsorted(np.arange(int(request.max(initial=0)) + 1))
    return (np.arange(1, len(request) + 1) - start[request]).astype(np.int32)


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
    if not any(len(part.request) and part.request[-1] for part in parts.values()):
        return _merge_one(parts, depths)
    width = np.int64(max(int(part.track.max(initial=0)) for part in parts.values()) + 1)
    keys = {name: part.request * width + part.track for name, part in parts.items()}
    proposed = [_first(keys[name], part.request, depths[name]) for name, part in parts.items()]
    union = np.sort(np.concatenate(proposed))
    # np.unique would hash first, which is slower than this sort.
    union = union[np.diff(union, prepend=-1) > 0]
    score = np.full((len(parts), len(union)), np.nan, dtype=np.float32)
    rank = np.full((len(parts), len(union)), np.nan, dtype=np.float32)
    for row, (name, part) in enumerate(parts.items()):
        at = np.searchsorted(union, keys[name])
        known = np.flatnonzero(union.take(at, mode="clip") == keys[name])
        at = at[known]
        score[row, at] = part.score[known]
        rank[row, at] = part.rank[known]
    request, track = (union // width).astype(np.int32), (union % width).astype(np.int32)
    return Pool(request, track, tuple(parts), score, rank)


def _merge_one(parts: Mapping[str, Candidates], depths: Mapping[str, int]) -> Pool:
    """The same of a single request, all parts at once; without any part an empty pool."""
    none = np.zeros(0, dtype=np.int32)
    track = np.concatenate([none, *(part.track for part in parts.values())])
    union = np.sort(np.concatenate([none, *(p.track[: depths[n]] for n, p in parts.items())]))
    first = np.ones(len(union), dtype=np.bool_)
    np.not_equal(union[1:], union[:-1], out=first[1:])
    union = union[first]
    at = places_among(union, track, int(track.max(initial=0)) + 1)
    known = (at >= 0).nonzero()[0]
    row = np.repeat(np.arange(len(parts)), [len(part.track) for part in parts.values()])[known]
    score = np.full((len(parts), len(union)), np.nan, dtype=np.float32)
    rank = score.copy()
    if len(known):
        place = row * len(union) + at[known]
        score.reshape(-1)[place] = np.concatenate([p.score for p in parts.values()])[known]
        rank.reshape(-1)[place] = np.concatenate([p.rank for p in parts.values()])[known]
    return Pool(np.zeros(len(union), dtype=np.int32), union, tuple(parts), score, rank)
