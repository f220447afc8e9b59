"""Ranking metrics: per request, then per user.

Belongs here: list metrics judged by the full truth. Does not belong here: intervals
(ml.evaluation.intervals), metrics beyond accuracy (beside this module) or turning scores into lists
(ml.evaluation.ordering).

Conventions: all tracks of the catalogue compete, nothing is sampled. A request without a list scores 0, a
relevant track outside the catalogue is a miss, a request without a relevant track has nothing to find and
is left out (nan). Recall divides by the number of relevant tracks, precision by k. NDCG's ideal and
MAP's denominator are min(k, number of relevant tracks), as in RePlay and scikit-learn; RecTools' NDCG
does so with divide_by_achievable only, and MAP of RecTools and ranx divides by the number of
relevant tracks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.errors import SegueError
from ml.evaluation.pairs import locate

METRICS = ("ndcg", "recall", "hit_rate", "mrr", "map", "precision")


class EvaluationError(SegueError):
    """Lists or truth that no metric can be read from."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Shown lists, sorted by (request, rank): int32 arrays (m); ranks count from 1 without gaps."""

    request: NDArray[np.int32]
    track: NDArray[np.int32]
    rank: NDArray[np.int32]

    def top(self, k: int) -> "Lists":
        """The first `k` of every list."""
        kept = self.rank <= k
        return Lists(self.request[kept], self.track[kept], self.rank[kept])


@dataclass(frozen=True, slots=True)
class Truth:
    """Relevant tracks: `request`, `track` int32 (t), `grade` int8 (t) of 1 or more, each pair once;
    `requests` is the number of evaluated requests, numbered from 0. A track outside the catalogue
    keeps an index beyond it, or is -1 (and may then stand more than once): it cannot be found."""

    request: NDArray[np.int32]
    track: NDArray[np.int32]
    grade: NDArray[np.int8]
    requests: int

    def relevant(self) -> NDArray[np.int64]:
        """Number of relevant tracks of each request, int64 (requests)."""
        return np.bincount(self.request, minlength=self.requests)

    def select(self, kept: NDArray[np.bool_]) -> "Truth":
        """The truth of the rows `kept`; requests keep their numbers."""
        return Truth(self.request[kept], self.track[kept], self.grade[kept], self.requests)


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of lists, sorted by (request, rank): `request`, `rank` int32 (h), `row` int64 (h) index
    into the truth. All that metrics need to know of a list."""

    request: NDArray[np.int32]
    rank: NDArray[np.int32]
    row: NDArray[np.int64]

    def top(self, k: int) -> "Found":
        """The hits among the first `k`."""
        kept = self.rank <= k
        return Found(self.request[kept], self.rank[kept], self.row[kept])

    def within(self, kept: NDArray[np.bool_]) -> "Found":
        """The hits on the rows of the truth that are `kept` (t), for `Truth.select(kept)`."""
        row = np.cumsum(kept) - 1
        hit = kept[self.row]
        return Found(self.request[hit], self.rank[hit], row[self.row[hit]])


def hits(lists: Lists, truth: Truth) -> NDArray[np.int8]:
    """Grade of each shown row, int8 (m), 0 where it is not relevant."""
    row = locate(lists.request, lists.track, truth.request, truth.track)
    found = row >= 0
    grade = np.zeros(len(row), dtype=np.int8)
    grade[found] = truth.grade[row[found]]
    return grade


def _check(lists: Lists, truth: Truth) -> None:
    request, rank = lists.request, lists.rank
    same = request[1:] == request[:-1]
    ordered = np.where(same, rank[1:] > rank[:-1], request[1:] > request[:-1])
    if not ordered.all():
        raise EvaluationError(
            f"expected lists sorted by request and ascending rank, found row {ordered.argmin() + 1} "
            "out of order; sort all columns by np.lexsort((rank, request))"
        )
    if len(rank) and rank.min() < 1:
        raise EvaluationError(f"expected ranks from 1, found {rank.min()}; count ranks from 1")
    for name, column in (("lists", request), ("truth", truth.request)):
        if len(column) and not 0 <= column.min() <= column.max() < truth.requests:
            raise EvaluationError(
                f"expected requests from 0 to {truth.requests - 1} in the {name}, found "
                f"{column.min()} to {column.max()}; number the evaluated requests from 0"
            )


def find(lists: Lists, truth: Truth) -> Found:
    """The hits of `lists`.

    Raises:
        EvaluationError: rows are not sorted by (request, rank), a rank is below 1, a request is not
            among the evaluated ones, or a relevant track stands twice in a list.
    """
    _check(lists, truth)
    row = locate(lists.request, lists.track, truth.request, truth.track)
    hit = np.flatnonzero(row >= 0)
    found = Found(lists.request[hit], lists.rank[hit], row[hit])
    times = np.bincount(found.row, minlength=1)
    if times.max() > 1:
        twice = times.argmax()
        raise EvaluationError(
            f"expected a track once in a list, found track {truth.track[twice]} twice in the list of "
            f"request {truth.request[twice]}; keep its best rank and count the ranks anew"
        )
    return found


def _totals(
    request: NDArray[np.int32], weights: NDArray[np.float64], requests: int
) -> NDArray[np.float64]:
    # Without rows bincount counts integers, whatever the weights.
    return np.bincount(request, weights=weights, minlength=requests).astype(np.float64)


def _gain(grade: NDArray[np.int8], graded: bool) -> NDArray[np.float64]:
    return np.exp2(grade.astype(np.float64)) - 1.0 if graded else np.ones(len(grade))


def _ideal(truth: Truth, relevant: NDArray[np.int64], k: int, graded: bool) -> NDArray[np.float64]:
    """Best possible DCG at k of each request, gains in descending order."""
    if not graded:
        discounts = 1.0 / np.log2(np.arange(2, k + 2))
        best: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(discounts)])
        return best[np.minimum(relevant, k)]
    gain = _gain(truth.grade, graded)
    order = np.lexsort((-gain, truth.request))
    request = truth.request[order]
    position = np.arange(len(request)) - np.searchsorted(request, request)
    top = position < k
    discounted = gain[order][top] / np.log2(position[top] + 2.0)
    return _totals(request[top], discounted, truth.requests)


def score(
    found: Found, truth: Truth, k: int, *, graded: bool = False
) -> dict[str, NDArray[np.float64]]:
    """The METRICS at k of each request, as `per_request`, from hits that are found already."""
    size, relevant = truth.requests, truth.relevant()
    found = found.top(k)
    request, rank = found.request, found.rank.astype(np.float64)
    number = np.bincount(request, minlength=size)
    start = np.cumsum(number) - number
    nth = np.arange(len(request)) - start[request] + 1
    some = number > 0
    first = np.full(size, np.inf)
    first[some] = rank[start[some]]

    gain = _gain(truth.grade[found.row], graded)
    ideal = _ideal(truth, relevant, k, graded)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            "ndcg": _totals(request, gain / np.log2(rank + 1.0), size) / ideal,
            "recall": number / relevant,
            "hit_rate": some.astype(np.float64),
            "mrr": 1.0 / first,
            "map": _totals(request, nth / rank, size) / np.minimum(relevant, k),
            "precision": number / k,
        }
    return {name: np.where(relevant > 0, value, np.nan) for name, value in values.items()}


def per_request(
    lists: Lists, truth: Truth, k: int, *, graded: bool = False
) -> dict[str, NDArray[np.float64]]:
    """The METRICS at k of each request, float64 (requests), nan where nothing is relevant.

    NDCG (Jarvelin and Kekalainen 2002) with gain 1, or 2^grade - 1 when `graded`; MRR and MAP over
    the first k; precision divides by k.

    Raises:
        EvaluationError: as `find`.
    """
    return score(find(lists.top(k), truth), truth, k, graded=graded)


def per_user(
    values: NDArray[np.float64], user: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """(users, their mean over requests), requests that are nan left out; both sorted by user."""
    kept = ~np.isnan(values)
    users, inverse = np.unique(user[kept], return_inverse=True)
    total = np.bincount(inverse, weights=values[kept], minlength=len(users))
    count = np.bincount(inverse, minlength=len(users))
    return users, total / np.maximum(count, 1)
