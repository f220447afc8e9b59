"""The union of all generators' candidates, each one's score and rank kept.

Belongs here: the pool and its size. Does not belong here: order among sources, which is the ranker's
work.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from ml.candidates.generator import Candidates

# A list before the first: what is joined is never nothing at all.
_NOTHING = Candidates(
    np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.int32)
)


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


def merge(parts: Mapping[str, Candidates], depths: Mapping[str, int]) -> Pool:
    """Every (request, track) within the depth of any generator, once.

    A generator may bring more than its depth: what others proposed then has its score and rank too,
    but nothing enters the pool by it. What a generator thinks of the others' tracks is evidence.
    A part with tracks left out keeps the ranks of the whole list: what is left enters by its place.
    """
    from ml.kernels.scratch import scratch
    from ml.kernels.union import united

    lists = [_NOTHING, *parts.values()]
    ends = np.array([*accumulate(len(one.track) for one in lists)], dtype=np.int64)
    most = np.array([depths[name] for name in parts], dtype=np.int64)
    track = np.concatenate([one.track for one in lists])
    width = int(track.max(initial=0)) + 1
    with scratch(max(width, 2)) as held:
        request, found, score, rank = united(
            np.concatenate([one.request for one in lists]),
            track,
            np.concatenate([one.score for one in lists]),
            np.concatenate([one.rank for one in lists]),
            ends,
            most,
            width,
            held.mark,
        )
    return Pool(request, found, tuple(parts), score, rank)
