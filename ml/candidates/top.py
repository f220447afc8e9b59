"""The best k of every row, all rows at once.

Belongs here: selection from sparse scores. Does not belong here: scoring.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Candidates


def no_candidates() -> Candidates:
    """No candidates for anybody."""
    whole = np.zeros(0, dtype=np.int32)
    return Candidates(whole, whole, np.zeros(0, dtype=np.float32), whole)


def top_of_long(
    request: NDArray[np.int32], track: NDArray[np.int32], score: NDArray[np.float32], k: int
) -> Candidates:
    """The best `k` rows a request by score, ties by the smaller track index; scores of 0 or less and
    nan are dropped."""
    kept = score > 0
    request, track, score = request[kept], track[kept], score[kept].astype(np.float32)
    order = np.lexsort((track, -score, request))
    request, track, score = request[order], track[order], score[order]
    rank = np.arange(len(request)) - np.searchsorted(request, request) + 1
    best = rank <= k
    return Candidates(
        request[best].astype(np.int32),
        track[best].astype(np.int32),
        score[best],
        rank[best].astype(np.int32),
    )


def top_of_sparse(scores: sparse.csr_matrix, k: int) -> Candidates:
    """The best `k` stored entries of every row of a (requests, tracks) matrix."""
    row = np.repeat(np.arange(scores.shape[0], dtype=np.int32), np.diff(scores.indptr))
    return top_of_long(row, scores.indices.astype(np.int32), scores.data, k)


def top_of_dense(scores: NDArray[np.float32], k: int) -> Candidates:
    """The best `k` columns of every row of a dense block, by partition and then exact order."""
    rows, columns = scores.shape
    if columns > k:
        # The k-th best value bounds the row; every tie with it stays in, the exact cut comes after.
        bound = np.partition(scores, columns - k, axis=1)[:, columns - k][:, None]
        row, track = np.nonzero(scores >= bound)
    else:
        row, track = np.nonzero(np.ones((rows, columns), dtype=np.bool_))
    return top_of_long(row.astype(np.int32), track.astype(np.int32), scores[row, track], k)


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


def top_of_rows(matrix: sparse.csr_matrix, k: int) -> sparse.csr_matrix:
    """The same matrix with only the best `k` entries of every row."""
    best = top_of_sparse(matrix, k)
    kept = sparse.csr_matrix((best.score, (best.request, best.track)), shape=matrix.shape)
    kept.sort_indices()
    return kept
