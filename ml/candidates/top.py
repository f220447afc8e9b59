"""The best k of every row, all rows at once.

Belongs here: selection from scores, blocks of requests. Does not belong here: scoring.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Candidates
from ml.state.requests import Requests

# Floats of one padded block in a selection: 8 million are 32 MB, their positions 64 MB.
_FLOATS = 8_000_000
# A product of dense matrices differs in its last bits with the block's shape; scores are rounded to
# this step, so that equal tracks tie and batch and online agree.
_STEP = np.float32(2.0**-18)


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


def _bounds(matrix: sparse.csr_matrix, k: int) -> NDArray[np.float32]:
    """The k-th largest stored value of every row, 0 where a row stores at most k; float32 (rows)."""
    count = np.diff(matrix.indptr).astype(np.int64)
    bound = np.zeros(matrix.shape[0], dtype=np.float32)
    full = np.flatnonzero(count > k)
    full = full[np.argsort(count[full], kind="stable")]
    done = 0
    while done < len(full):
        # Rows of like length together, so that padding stays small: the last is the longest.
        most = max(1, _FLOATS // int(count[full[min(done + 4_000, len(full)) - 1]]))
        rows = full[done : done + min(4_000, most)]
        width = int(count[rows].max())
        slot = np.arange(width)
        source = matrix.indptr[rows].astype(np.int64)[:, None] + slot
        filled = slot < count[rows][:, None]
        values = np.where(filled, matrix.data[np.where(filled, source, 0)], -np.inf)
        bound[rows] = np.partition(values, width - k, axis=1)[:, width - k]
        done += len(rows)
    return bound


def _row_of(indptr: NDArray[np.int64]) -> NDArray[np.int32]:
    return np.repeat(np.arange(len(indptr) - 1, dtype=np.int32), np.diff(indptr))


def _chosen(matrix: sparse.csr_matrix, kept: NDArray[np.bool_]) -> sparse.csr_matrix:
    """Only the stored entries marked in `kept`, columns ascending in every row."""
    before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    chosen = sparse.csr_matrix(
        (matrix.data[kept], matrix.indices[kept], before[matrix.indptr]), shape=matrix.shape
    )
    chosen.sort_indices()
    return chosen


def top_of_rows(matrix: sparse.csr_matrix, k: int) -> sparse.csr_matrix:
    """The same matrix with only the best `k` positive entries of every row, columns ascending.

    Selection by the k-th value of each row, never a sort of all entries; ties at that value go to the
    smaller columns. The result shares no array with `matrix`.
    """
    bound = _bounds(matrix, k)
    part = _chosen(
        matrix, (matrix.data >= np.repeat(bound, np.diff(matrix.indptr))) & (matrix.data > 0)
    )
    row = _row_of(part.indptr)
    tie = part.data == bound[row]
    above = np.bincount(row[~tie], minlength=part.shape[0])
    ties = np.concatenate([[0], np.cumsum(tie)])
    ordinal = ties[1:] - ties[part.indptr[:-1]][row]
    return _chosen(part, ~tie | (ordinal <= k - above[row]))


def top_of_sparse(scores: sparse.csr_matrix, k: int) -> Candidates:
    """The best `k` positive stored entries of every row of a (requests, tracks) matrix."""
    best = top_of_rows(scores, k)
    return top_of_long(_row_of(best.indptr), best.indices.astype(np.int32), best.data, k)


def top_of_dense(scores: NDArray[np.float32], k: int) -> Candidates:
    """The best `k` positive columns of every row of a dense block, scores rounded to 2^-18."""
    rows, columns = scores.shape
    scores = np.rint(scores / _STEP) * _STEP
    if columns > k:
        # The k-th best value bounds the row; every tie with it stays in, the exact cut comes after.
        bound = np.partition(scores, columns - k, axis=1)[:, columns - k][:, None]
        row, track = np.nonzero((scores >= bound) & (scores > 0))
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


def in_blocks(
    requests: Requests, size: int, generate: Callable[[Requests], Candidates]
) -> Candidates:
    """`generate` over blocks of `size` requests, so that memory does not grow with the batch."""
    starts = range(0, len(requests), size)
    parts = [
        generate(
            requests.select(np.arange(start, min(start + size, len(requests)), dtype=np.int64))
        )
        for start in starts
    ]
    return stack(parts, list(starts))
