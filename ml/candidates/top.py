"""The best k of every row, all rows at once.

Belongs here: selection from scores, blocks of requests. Does not belong here: scoring.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.bounds import MARGIN, Exact, below_best, kth_best, near_best, rounded
from ml.candidates.generator import Candidates
from ml.state.requests import Requests
from ml.state.rows import Found, Rows, bounds_of, read_only, rows_found, rows_of


def no_candidates() -> Candidates:
    """No candidates for anybody."""
    whole = np.zeros(0, dtype=np.int32)
    return Candidates(whole, whole, np.zeros(0, dtype=np.float32), whole)


def candidates_of(found: Found) -> Candidates:
    """Candidates of what a kernel found: (ends int64 (n + 1), track int32, score float32), best first."""
    from ml.kernels.sparse import ranked

    ends, track, score = found
    request, rank = ranked(read_only(ends))
    return Candidates(request, track, score, rank)


def top_of_long(
    request: NDArray[np.int32], track: NDArray[np.int32], score: NDArray[np.float32], k: int
) -> Candidates:
    """The best `k` rows a request by score, ties by the smaller track index; scores of 0 or less and
    nan are dropped. `request` ascends."""
    ends = bounds_of(request, int(request[-1]) + 1 if len(request) else 0)
    track, score = (
        track.astype(np.int32, copy=False),
        score.astype(np.float32, copy=False),
    )
    return best_of(Rows(ends, track, score, 0), k)


def best_of(rows: Rows, k: int) -> Candidates:
    """The best `k` entries above 0 of each of (requests, tracks)."""
    from ml.kernels.scratch import scratch
    from ml.kernels.sparse import best_of_rows

    with scratch(rows.longest()) as held:
        return candidates_of(best_of_rows(rows.arrays(), k, False, held))


def best_of_product(rows: Rows, matrix: sparse.csr_matrix, k: int) -> Candidates:
    """The best `k` of each row of (requests, items) times a matrix (items, tracks)."""
    best = nearest_rows(rows, matrix, k)
    return candidates_of((best.indptr, best.column, best.value))


def nearest_rows(rows: Rows, matrix: sparse.csr_matrix, k: int) -> Rows:
    """The best `k` of each row of (requests, items) times a matrix (items, others), the others as rows in falling
    order."""
    from ml.kernels.scratch import scratch
    from ml.kernels.sparse import best_of_products

    with scratch(matrix.shape[1]) as held:
        found = best_of_products(rows.arrays(), rows.against(matrix), k, held)
    return rows_found(found, matrix.shape[1])


def top_of_rows(matrix: sparse.csr_matrix, k: int) -> sparse.csr_matrix:
    """The same matrix with only the best `k` positive entries of every row, columns ascending; ties at the k-th
    value go to the smaller columns. The result shares no array with `matrix`."""
    return rows_of(matrix).strongest(k).matrix()


def top_of_sparse(scores: sparse.csr_matrix, k: int) -> Candidates:
    """The best `k` positive stored entries of every row of a (requests, tracks) matrix."""
    return best_of(rows_of(scores), k)


def top_of_dense(
    scores: NDArray[np.float32],
    k: int,
    exact: Exact | None = None,
) -> Candidates:
    """The best `k` positive columns (tracks) of every row of a dense block, scores rounded to 2^-18.

    `exact` computes scores again where `scores` came from a product of dense matrices (best_products).
    """
    rows, columns = scores.shape
    if rows == 1:
        return _top_of_dense_row(scores[0], k, exact)
    near = scores > -MARGIN
    if columns > k:
        # What is near the bound stays in, the exact cut comes after.
        near &= scores >= below_best(scores, k) - MARGIN
    row, column = np.nonzero(near)
    held = scores[row, column]
    if exact is not None:
        # Fewer still, so that few are computed again.
        few = (held >= kth_best(rows, row, held, k)[row] - MARGIN).nonzero()[0]
        row, column, held = row[few], column[few], held[few]
    request = row.astype(np.int32)
    track = column.astype(np.int32)
    return top_of_long(request, track, rounded(request, track, held, exact), k)


def _top_of_dense_row(
    scores: NDArray[np.float32],
    k: int,
    exact: Exact | None,
) -> Candidates:
    kept, held = near_best(scores, k)
    request = np.zeros(len(kept), dtype=np.int32)
    return top_of_long(request, kept, rounded(request, kept, held, exact), k)


def stack(parts: Sequence[Candidates], offsets: Sequence[int]) -> Candidates:
    """Candidates of blocks of requests as one, each block's requests moved by its offset."""
    if not parts:
        return no_candidates()
    request = [part.request + offset for part, offset in zip(parts, offsets, strict=True)]
    return Candidates(
        np.concatenate(request).astype(np.int32),
        np.concatenate([part.track for part in parts]),
        np.concatenate([part.score for part in parts]),
        np.concatenate([part.rank for part in parts]),
    )


def in_blocks(
    requests: Requests, size: int, generate: Callable[[Requests], Candidates]
) -> Candidates:
    """`generate` over blocks of `size` requests, so that memory does not grow with the batch."""
    if len(requests) <= size:
        return generate(requests)
    starts = range(0, len(requests), size)
    parts = [
        generate(
            requests.select(np.arange(start, min(start + size, len(requests)), dtype=np.int64))
        )
        for start in starts
    ]
    return stack(parts, list(starts))
