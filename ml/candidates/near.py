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
    space where all rows are equally long; `bounds` int64 (c + 1) into `track` int32 (n), `codes` int8 (n, d) and
    `scale` float32 (n), whose product is nearly the row; `longest` float32 (1), the longest row.

    Inner products become distances when each row gets one more coordinate, sqrt(longest^2 - |row|^2), and
    the query a zero (Bachrach et al. 2014).
    """

    centres: NDArray[np.float32]
    half: NDArray[np.float32]
    bounds: NDArray[np.int64]
    track: NDArray[np.int32]
    codes: NDArray[np.int8]
    scale: NDArray[np.float32]
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
        return cls(plain, half, bounds, track[order], *_codes(rows[order]), longest)

    def best(
        self, queries: NDArray[np.float32], table: NDArray[np.float32], k: int, searched: int
    ) -> Candidates:
        """Best tracks by the largest inner product with any of a request's queries (requests, q, d), of
        the tracks in the `searched` lists nearest to each query; `table` (tracks, d) holds the rows in the order of
        the catalogue."""
        from ml.kernels.near import best_of_lists
        from ml.kernels.scratch import scratch

        lists = (
            read_only(self.centres),
            read_only(self.half),
            np.float32(self.longest[0]),
            read_only(self.bounds),
            read_only(self.track),
        )
        with scratch(max(len(self.codes), len(self.centres))) as held:
            found = best_of_lists(
                read_only(queries),
                lists,
                read_only(self.codes),
                read_only(self.scale),
                read_only(table),
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
        stored = dict(arrays)
        if "near_rows" in stored:
            # Bundles of the version before hold the rows, and their centres in double precision.
            codes, scale = _codes(np.asarray(stored["near_rows"], dtype=np.float32))
            stored |= {"near_codes": codes, "near_scale": scale}
            for name in ("near_centres", "near_half"):
                stored[name] = stored[name].astype(np.float32)
        held: dict[str, Any] = {name: stored[f"near_{name}"] for name in cls.__dataclass_fields__}
        moved = position[held["track"]]
        kept = moved >= 0
        if not kept.all():
            before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
            held["bounds"] = before[held["bounds"]]
            held["codes"], held["scale"] = held["codes"][kept], held["scale"][kept]
            moved = moved[kept]
        held["track"] = moved
        return cls(**held)


def _codes(rows: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(codes int8 (n, d), scale float32 (n)): each row in 255 steps of its largest value / 127."""
    scale = (np.abs(rows).max(axis=1) / np.float32(127)).astype(np.float32)
    return np.rint(rows / scale[:, None]).astype(np.int8), scale


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
