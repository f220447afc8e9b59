"""The largest inner products without looking at every track: inverted lists around centres.

Belongs here: dividing rows among lists, and searching the lists nearest to a query. Does not belong here:
what rows and queries are (content, ials).

Below `LISTED_FROM` rows everything is looked at. Lists are made when a generator is fitted and belong to its
arrays: training, batch and online search the same lists and find the same tracks.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.bounds import STEP
from ml.candidates.generator import Arrays, Candidates
from ml.candidates.top import candidates_of
from ml.state.rows import read_only

# A whole look at 20,000 rows of 128 floats costs about a millisecond of one core.
LISTED_FROM = 20_000
_ROUNDS = 8
# Rows a list that its centre is found from, and rows assigned together.
_SAMPLED, _ASSIGNED = 40, 8_192


@dataclass(frozen=True, slots=True)
class NearLists:
    """c lists over n rows: `centres` float32 (c, d), `half` float32 (c), half their squared length in the
    space where all rows are equally long; `bounds` int64 (c + 1) into `track` int32 (n) and `rows`
    float32 (n, d); `longest` float32 (1), the longest row.

    Inner products become distances when each row gets one more coordinate, sqrt(longest^2 - |row|^2), and
    the query a zero (Bachrach et al. 2014).
    """

    centres: NDArray[np.float32]
    half: NDArray[np.float32]
    bounds: NDArray[np.int64]
    track: NDArray[np.int32]
    rows: NDArray[np.float32]
    longest: NDArray[np.float32]

    @classmethod
    def make(cls, table: NDArray[np.float32], seed: int) -> Self | None:
        """Lists over the rows of `table` (tracks, d) that are not zero; None where those are few."""
        track = np.flatnonzero(table.any(axis=1)).astype(np.int32)
        if len(track) < LISTED_FROM:
            return None
        rows = table[track]
        square = np.einsum("nd,nd->n", rows, rows)
        more = np.sqrt(np.maximum(square.max() - square, 0.0))
        equal = np.concatenate([rows, more[:, None]], axis=1).astype(np.float32)
        centres = _centres(equal, int(2 * np.sqrt(len(rows))), seed)
        member = _nearest(equal, centres)
        order = np.argsort(member, kind="stable")
        bounds = np.searchsorted(member[order], np.arange(len(centres) + 1)).astype(np.int64)
        half = (0.5 * np.einsum("cd,cd->c", centres, centres)).astype(np.float32)
        longest = np.sqrt(square.max(keepdims=True)).astype(np.float32)
        plain = np.ascontiguousarray(centres[:, :-1], dtype=np.float32)
        return cls(plain, half, bounds, track[order], rows[order], longest)

    def best(self, queries: NDArray[np.float32], k: int, searched: int) -> Candidates:
        """Best tracks by the largest inner product with any of a request's queries (requests, q, d), of
        the tracks in the `searched` lists nearest to each query."""
        from ml.kernels.near import best_of_lists
        from ml.kernels.scratch import scratch

        with scratch(max(len(self.rows), len(self.centres))) as held:
            found = best_of_lists(
                read_only(queries),
                read_only(self.centres),
                read_only(self.half),
                np.float32(self.longest[0]),
                read_only(self.bounds),
                read_only(self.track),
                read_only(self.rows),
                searched,
                k,
                STEP,
                held,
            )
        return candidates_of(found)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The lists as arrays for a bundle, their names apart from the generator's own."""
        return {f"near_{name}": getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32]) -> Self | None:
        """The lists with their tracks at `position`; None where the bundle has none."""
        if "near_track" not in arrays:
            return None
        held: dict[str, Any] = {name: arrays[f"near_{name}"] for name in cls.__dataclass_fields__}
        moved = position[held["track"]]
        kept = moved >= 0
        if not kept.all():
            before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
            held["bounds"] = before[held["bounds"]]
            held["rows"], moved = held["rows"][kept], moved[kept]
        held["track"] = moved
        # Bundles of earlier versions hold doubles.
        held |= {name: held[name].astype(np.float32, copy=False) for name in ("centres", "half")}
        return cls(**held)


def _nearest(rows: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.int64]:
    half = 0.5 * np.einsum("cd,cd->c", centres, centres)
    parts = [
        (rows[start : start + _ASSIGNED] @ centres.T - half).argmax(axis=1)
        for start in range(0, len(rows), _ASSIGNED)
    ]
    return np.concatenate(parts)


def _centres(rows: NDArray[np.float32], count: int, seed: int) -> NDArray[np.float32]:
    """Centres (count, d) by k-means on a sample of the rows, begun at rows drawn at random."""
    draw = np.random.default_rng(seed)
    sample = rows[draw.choice(len(rows), min(len(rows), _SAMPLED * count), replace=False)]
    centres = sample[:count].copy()
    each, ones = np.arange(len(sample)), np.ones(len(sample), dtype=np.float32)
    for _ in range(_ROUNDS):
        member = _nearest(sample, centres)
        of = sparse.csr_matrix((ones, (member, each)), shape=(count, len(sample)))
        size = np.bincount(member, minlength=count)
        held = size > 0
        centres[held] = (of @ sample)[held] / size[held, None].astype(np.float32)
    return centres
