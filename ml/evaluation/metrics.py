"""Ranking metrics: per request, then per user.

Belongs here: list metrics judged by the full truth. Does not belong here: intervals
(ml.evaluation.intervals) or metrics without truth (ml.evaluation.beyond).

Conventions: all tracks of the catalogue compete, nothing is sampled; a request without a list scores 0;
a request without a relevant track has nothing to find and is left out (nan); NDCG's ideal and MAP's
denominator are min(k, number of relevant tracks), as in RePlay and scikit-learn.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

METRICS = ("ndcg", "recall", "hit_rate", "mrr", "map", "precision")


@dataclass(frozen=True, slots=True)
class Lists:
    """Shown lists, sorted by (request, rank): int32 arrays (m); ranks count from 1 without gaps."""

    request: NDArray[np.int32]
    track: NDArray[np.int32]
    rank: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Truth:
    """Relevant tracks: `request`, `track` int32 (t), `grade` int8 (t) of 1 or more, each pair once;
    `requests` is the number of evaluated requests, numbered from 0."""

    request: NDArray[np.int32]
    track: NDArray[np.int32]
    grade: NDArray[np.int8]
    requests: int

    def relevant(self) -> NDArray[np.int64]:
        """Number of relevant tracks of each request, int64 (requests)."""
        return np.bincount(self.request, minlength=self.requests)


def hits(lists: Lists, truth: Truth) -> NDArray[np.int8]:
    """Grade of each shown row, int8 (m), 0 where it is not relevant."""
    if not len(truth.request):
        return np.zeros(len(lists.request), dtype=np.int8)
    width = np.int64(max(lists.track.max(initial=0), truth.track.max(initial=0)) + 1)
    key = truth.request * width + truth.track
    order = np.argsort(key)
    key, grade = key[order], truth.grade[order]
    sought = lists.request * width + lists.track
    at = np.minimum(np.searchsorted(key, sought), len(key) - 1)
    return np.where(key[at] == sought, grade[at], 0).astype(np.int8)


def _ideal(truth: Truth, k: int, gain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Best possible DCG at k of each request, gains in descending order."""
    order = np.lexsort((-gain, truth.request))
    request, gain = truth.request[order], gain[order]
    position = np.arange(len(request)) - np.searchsorted(request, request)
    top = position < k
    discounted = gain[top] / np.log2(position[top] + 2.0)
    best: NDArray[np.float64] = np.bincount(
        request[top], weights=discounted, minlength=truth.requests
    ).astype(np.float64)
    return best


def per_request(
    lists: Lists, truth: Truth, k: int, *, graded: bool = False
) -> dict[str, NDArray[np.float64]]:
    """The METRICS at k of each request, float64 (requests), nan where nothing is relevant.

    NDCG (Jarvelin and Kekalainen 2002) with gain 1, or 2^grade - 1 when `graded`; MRR and MAP over
    the first k; precision divides by k.
    """
    shown = lists.rank <= k
    request, rank = lists.request[shown], lists.rank[shown].astype(np.float64)
    grade = hits(lists, truth)[shown]
    hit = grade > 0
    size = truth.requests

    def total(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(request, weights=weights, minlength=size).astype(np.float64)

    gain = np.exp2(grade.astype(np.float64)) - 1.0 if graded else hit.astype(np.float64)
    truth_gain = (
        np.exp2(truth.grade.astype(np.float64)) - 1.0 if graded else np.ones(len(truth.grade))
    )
    relevant = truth.relevant()
    found = total(hit.astype(np.float64))
    so_far = np.cumsum(hit)
    start = np.searchsorted(request, request)
    before = np.concatenate([[0], so_far])[start]
    precision_at_hit = np.where(hit, (so_far - before) / rank, 0.0)
    first = np.full(size, np.inf)
    np.minimum.at(first, request[hit], rank[hit])
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            "ndcg": total(gain / np.log2(rank + 1.0)) / _ideal(truth, k, truth_gain),
            "recall": found / relevant,
            "hit_rate": (found > 0).astype(np.float64),
            "mrr": 1.0 / first,
            "map": total(precision_at_hit) / np.minimum(relevant, k),
            "precision": found / k,
        }
    return {name: np.where(relevant > 0, value, np.nan) for name, value in values.items()}


def per_user(
    values: NDArray[np.float64], user: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """(users, their mean over requests), requests that are nan left out; both sorted by user."""
    kept = ~np.isnan(values)
    users, inverse = np.unique(user[kept], return_inverse=True)
    total = np.bincount(inverse, weights=values[kept], minlength=len(users))
    count = np.bincount(inverse, minlength=len(users))
    return users, total / np.maximum(count, 1)
