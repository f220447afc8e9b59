"""The largest inner products without looking at every track: inverted lists around centres.

Belongs here: dividing rows among lists, and searching the lists nearest to a query. Does not belong here:
what rows and queries are (content, ials).

Below `LISTED_FROM` rows everything is looked at. Lists are made when a generator is fitted and belong to its
arrays: training, batch and online search the same lists and find the same tracks.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.bounds import best_products, near_best, rounded
from ml.candidates.generator import Arrays, Candidates
from ml.candidates.top import no_candidates, stack, top_of_dense, top_of_long

# A whole look at 20,000 rows of 128 floats costs about a millisecond of one core.
LISTED_FROM = 20_000
_ROUNDS = 8
# Rows a list that its centre is found from, and rows assigned together.
_SAMPLED, _ASSIGNED = 40, 8_192
# Requests searched together: 500 x 20,000 scores are 40 MB.
_REQUESTS = 500


@dataclass(frozen=True, slots=True)
class NearLists:
    """c lists over n rows: `centres` float64 (c, d), `half` float64 (c), half their squared length in the
    space where all rows are equally long; `bounds` int64 (c + 1) into `track` int32 (n) and `rows`
    float32 (n, d); `longest` float32 (1), the longest row.

    Inner products become distances when each row gets one more coordinate, sqrt(longest^2 - |row|^2), and
    the query a zero (Bachrach et al. 2014).
    """

    centres: NDArray[np.float64]
    half: NDArray[np.float64]
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
        half = 0.5 * np.einsum("cd,cd->c", centres, centres).astype(np.float64)
        longest = np.sqrt(square.max(keepdims=True)).astype(np.float32)
        plain = centres[:, :-1].astype(np.float64)
        return cls(plain, half, bounds, track[order], rows[order], longest)

    def best(
        self, queries: NDArray[np.float32], table: NDArray[np.float32], k: int, searched: int
    ) -> Candidates:
        """Best tracks by the largest inner product with any of a request's queries (requests, q, d), of
        the tracks in the `searched` lists nearest to each query; `table` (tracks, d) holds the rows in the
        order of the catalogue."""
        starts = range(0, len(queries), _REQUESTS)
        blocks = (queries[start : start + _REQUESTS] for start in starts)
        parts = [self._best(block, table, k, searched) for block in blocks]
        return stack(parts, list(starts)) if parts else no_candidates()

    def _chosen(self, queries: NDArray[np.float32], most: int) -> NDArray[np.bool_]:
        """Which lists are searched, bool (requests, c): the nearest of each query, for all of them.

        In double precision: which list is the last may not hang on how many requests are asked together.
        """
        long = np.sqrt(np.add.reduce(queries * queries, axis=2, keepdims=True))
        scaled = queries.astype(np.float64) * (self.longest / np.where(long > 0, long, 1.0))
        near = scaled @ self.centres.T - self.half
        most = min(most, near.shape[2])
        chosen = np.argpartition(-near, most - 1, axis=2)[:, :, :most]
        searched = np.zeros((len(queries), near.shape[2]), dtype=np.bool_)
        searched[np.arange(len(queries))[:, None, None], chosen] = True
        return searched

    def _listed(self, query: NDArray[np.float32], most: int) -> NDArray[np.int64]:
        """The lists that `_chosen` marks for the queries (q, d) of one request, ascending."""
        long = np.sqrt(np.add.reduce(query * query, axis=1, keepdims=True))
        scaled = query.astype(np.float64) * (self.longest / np.where(long > 0, long, 1.0))
        # A vector at a time: a product with three columns takes half as long again.
        far = np.stack([self.half - self.centres @ one for one in scaled])
        most = min(most, far.shape[1])
        marked = np.zeros(far.shape[1], dtype=np.bool_)
        marked[np.argpartition(far, most - 1, axis=1)[:, :most]] = True
        return marked.nonzero()[0]

    def _best_of_one(self, query: NDArray[np.float32], k: int, searched: int) -> Candidates:
        listed = self._listed(query, searched)
        start, stop = self.bounds[listed], self.bounds[listed + 1]
        ends = (stop - start).cumsum()
        # One column is no matrix: BLAS takes a third less time for a vector.
        columns = query[0] if len(query) == 1 else np.ascontiguousarray(query.T)
        scores, done = np.empty((int(ends[-1]), *columns.shape[1:]), dtype=np.float32), 0
        for first, last in zip(start.tolist(), stop.tolist(), strict=True):
            np.dot(self.rows[first:last], columns, out=scores[done : done + last - first])
            done += last - first
        best = scores if len(query) == 1 else reduce(np.maximum, scores.T)
        at, near = near_best(best, k)
        place = at + (stop - ends)[ends.searchsorted(at, side="right")]
        # The lists' own rows: they have just been read, those of the table lie elsewhere in memory.
        exact = best_products(query[None], self.rows)
        request = np.zeros(len(place), dtype=np.int32)
        return top_of_long(request, self.track[place], rounded(request, place, near, exact), k)

    def _best(
        self, queries: NDArray[np.float32], table: NDArray[np.float32], k: int, searched: int
    ) -> Candidates:
        if len(queries) == 1:
            return self._best_of_one(queries[0], k, searched)
        request, listed = np.nonzero(self._chosen(queries, searched))
        count = np.diff(self.bounds)[listed]
        ends = np.cumsum(count)
        first = np.searchsorted(request, np.arange(len(queries) + 1))
        before = np.concatenate([[0], ends])[first]
        offset = ends - count - before[request]
        shape = (len(queries), int(np.diff(before).max(initial=0)))
        scores = np.full(shape, -np.inf, dtype=np.float32)
        order = np.argsort(listed, kind="stable")
        lists, began = np.unique(listed[order], return_index=True)
        for one, asks in zip(lists.tolist(), np.split(order, began[1:]), strict=True):
            at = slice(self.bounds[one], self.bounds[one + 1])
            who, where = request[asks], offset[asks]
            many = where[:, None] + np.arange(at.stop - at.start)
            # One product of all queries: NumPy takes a stack of small ones one after the other.
            products = queries[who].reshape(-1, queries.shape[2]) @ self.rows[at].T
            best = products.reshape(len(who), queries.shape[1], -1).max(axis=1)
            scores[who[:, None], many] = best

        def named(row: NDArray[np.int32], column: NDArray[np.integer]) -> NDArray[np.int32]:
            place = before[row] + column
            span = np.searchsorted(ends, place, side="right")
            inside = place - (ends - count)[span]
            found: NDArray[np.int32] = self.track[self.bounds[listed[span]] + inside]
            return found

        return top_of_dense(scores, k, named, best_products(queries, table))

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
