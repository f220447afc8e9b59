"""Where the best k of a row of scores begin, and which scores a product must be computed again for.

Belongs here: bounds of the best, exact products near them. Does not belong here: candidates (top).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

# Scores are rounded to this step, so that equal tracks tie.
STEP = np.float32(2.0**-18)
# A product of dense matrices differs in its last bits with the block's shape (1e-6 at most where lengths are
# near 1), and rounding makes a step of some of that: what is this near to the k-th best is computed
# again, each pair by itself, so that batch and online agree. With rounding alone 6 of 1,000 lists differed.
MARGIN = 2 * STEP
# Pairs computed again together: 1,024 x 3 x 128 doubles are 3 MB and stay in the cache.
_PAIRS = 1_024
# (request, track), int32 both -> float64 scores.
Exact = Callable[[NDArray[np.int32], NDArray[np.int32]], NDArray[np.float64]]
# Scores of one row that are looked at as one group in the search for its best, at most; and how many groups
# there must be for each of the best: with fewer the bound lies far below.
_GROUP, _GROUPS = 16, 2


def best_products(left: NDArray[np.float32], right: NDArray[np.float32]) -> Exact:
    """Exact scores of `left` (requests, q, d) against `right` (tracks, d): the largest inner product with
    any of the q, in double precision and for each pair by itself."""

    def exact(request: NDArray[np.int32], track: NDArray[np.int32]) -> NDArray[np.float64]:
        found = np.empty(len(request), dtype=np.float64)
        alone = left.astype(np.float64) if len(left) == 1 else None
        for start in range(0, len(request), _PAIRS):
            part = slice(start, start + _PAIRS)
            rows = right[track[part]].astype(np.float64)
            if alone is None:
                asked = left[request[part]].astype(np.float64)
            else:
                # The same sums without copies of the only request's row.
                asked = np.broadcast_to(alone, (len(rows), *left.shape[1:]))
            products = np.einsum("pqd,pd->pq", asked, rows)
            found[part] = products.max(axis=1)
        return found

    return exact


def rounded(
    request: NDArray[np.int32],
    track: NDArray[np.int32],
    score: NDArray[np.float32],
    exact: Exact | None,
) -> NDArray[np.float32]:
    """Scores in steps of 2^-18; computed again where `exact` is given, whatever `track` means to it."""
    better = score if exact is None else exact(request, track)
    steps: NDArray[np.float32] = (np.rint(better / STEP) * STEP).astype(np.float32)
    return steps


def below_best(scores: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """A bound at most the k-th largest of each row, (rows, 1): the k-th largest of the maxima of disjoint
    groups where there are enough of those."""
    rows, columns = scores.shape
    group = min(_GROUP, columns // (_GROUPS * k))
    if group > 1:
        groups = columns // group
        scores = scores[:, : groups * group].reshape(rows, group, groups).max(axis=1)
    bound: NDArray[np.float32] = np.partition(scores, scores.shape[1] - k, axis=1)
    return bound[:, [scores.shape[1] - k]]


def near_best(scores: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """(places, scores) of all that rounding or another product could place among the best `k` of one row,
    int32 ascending; most of it is passed over once and never rounded or sorted.

    The k-th largest of the maxima of disjoint groups is at most the k-th largest score; rounding moves
    a score by half a step.
    """
    kept, held = np.arange(len(scores), dtype=np.int32), scores
    group = min(_GROUP, len(scores) // (_GROUPS * k))
    if group > 1:
        groups = len(scores) // group
        best = scores[: groups * group].reshape(group, groups).max(axis=0)
        best.partition(groups - k)
        kept = (scores >= best[groups - k] - MARGIN).nonzero()[0].astype(np.int32)
        held = scores[kept]
    if len(kept) > k:
        # As a block bounds it, so that few are computed again.
        near = held >= np.partition(held, len(held) - k)[len(held) - k] - MARGIN
        kept, held = kept[near], held[near]
    return kept, held


def kth_best(
    size: int, request: NDArray[np.integer], score: NDArray[np.float32], k: int
) -> NDArray[np.float32]:
    """The k-th largest score of each of `size` requests, -inf where a request has fewer, float32 (size);
    `request` ascends."""
    if size == 1 and len(score) >= k:
        return np.partition(score, len(score) - k)[[len(score) - k]]
    start = request.searchsorted(np.arange(size + 1))
    width = int(np.diff(start).max(initial=0))
    if width < k:
        return np.full(size, -np.inf, dtype=np.float32)
    padded = np.full((size, width), -np.inf, dtype=np.float32)
    padded[request, np.arange(len(score)) - start[request]] = score
    padded.partition(width - k, axis=1)
    return padded[:, width - k]
