"""The union of all generators' candidates, each one's score and rank kept.

Belongs here: the pool and its size. Does not belong here: order among sources, which is the ranker's
work.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

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
            self.score.take(row, axis=1),
            self.rank.take(row, axis=1),
        )


def places(request: NDArray[np.int32]) -> NDArray[np.int32]:
    """1, 2, ... within each run of equal requests, int32 (m); `request` ascends."""
    start = request.searchsorted(np.arange(int(request.max(initial=0)) + 1))
    return (np.arange(1, len(request) + 1) - start[request]).astype(np.int32)


def merge(parts: Mapping[str, Candidates], depths: Mapping[str, int]) -> Pool:
    """Every (request, track) within the depth of any generator, once.

    A generator may bring more than its depth: what others proposed then has its score and rank too,
    but nothing enters the pool by it. What a generator thinks of the others' tracks is evidence.
    A part with tracks left out keeps the ranks of the whole list: what is left enters by its place.
    """
    from ml.kernels.scratch import scratch
    from ml.kernels.union import united

    track, request, rank = (_joined(parts, name, np.int32) for name in ("track", "request", "rank"))
    score = _joined(parts, "score", np.float32)
    ends = np.array([*accumulate((len(one.track) for one in parts.values()), initial=0)], np.int64)
    most = np.array([depths[name] for name in parts], dtype=np.int64)
    width = int(track.max(initial=0)) + 1
    with scratch(max(width, 2)) as held:
        made = united(request, track, score, rank, ends, most, width, held.mark)
    return Pool(made[0], made[1], tuple(parts), made[2], made[3])


def _joined(parts: Mapping[str, Candidates], name: str, kind: type[np.generic]) -> NDArray[Any]:
    """A column of all parts, one after the other; also of none."""
    arrays = [getattr(part, name) for part in parts.values()]
    return np.concatenate([np.zeros(0, dtype=kind), *arrays], dtype=kind, casting="same_kind")
