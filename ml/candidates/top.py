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
from ml.state.rows import Rows, one_row, rows_of

# Floats of one padded block in a selection: 8 million are 32 MB, their positions 64 MB.
_FLOATS = 8_000_000
# (request, column) -> tracks, int32.
Named = Callable[[NDArray[np.int32], NDArray[np.integer]], NDArray[np.int32]]
# Bits of a positive float32, and of a key to sort by.
_SCORE_BITS, _KEY_BITS = 31, 64


def no_candidates() -> Candidates:
    """No candidates for anybody."""
    whole = np.zeros(0, dtype=np.int32)
    return Candidates(whole, whole, np.zeros(0, dtype=np.float32), whole)


def top_of_long(
    request: NDArray[np.int32], track: NDArray[np.int32], score: NDArray[np.float32], k: int
) -> Candidates:
    """The best `k` rows a request by score, ties by the smaller track index; scores of 0 or less and
    nan are dropped."""
    if len(request) and (request == request[0]).all():
        return best_of_one(track, score, k, request[0])
    kept = np.flatnonzero(score > 0)
    request, track, score = _ordered(request[kept], track[kept], score[kept].astype(np.float32))
    first = np.ones(len(request), dtype=np.bool_)
    np.not_equal(request[1:], request[:-1], out=first[1:])
    place = np.arange(len(request), dtype=np.int32)
    rank = place - np.maximum.accumulate(np.where(first, place, 0)) + 1
    best = np.flatnonzero(rank <= k)
    return Candidates(request[best], track[best], score[best], rank[best].astype(np.int32))


def _ordered(
    request: NDArray[np.int32], track: NDArray[np.int32], score: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """The same rows by request, then falling score, then track; scores are positive.

    Bits of positive floats are in the order of the floats: all three in one number are sorted as such,
    six times as fast as a sort by three keys.
    """
    width = int(track.max(initial=0)).bit_length()
    if int(request.max(initial=0)).bit_length() + _SCORE_BITS + width > _KEY_BITS:
        order = np.lexsort((track, -score, request))
        return request[order].astype(np.int32), track[order].astype(np.int32), score[order]
    falling = np.uint64((1 << _SCORE_BITS) - 1) - score.view(np.uint32).astype(np.uint64)
    key = request.astype(np.uint64) << np.uint64(_SCORE_BITS + width)
    key |= falling << np.uint64(width)
    key |= track.astype(np.uint64)
    key.sort()
    named = (key & np.uint64((1 << width) - 1)).astype(np.int32)
    falling = (key >> np.uint64(width)) & np.uint64((1 << _SCORE_BITS) - 1)
    bits = (np.uint64((1 << _SCORE_BITS) - 1) - falling).astype(np.uint32)
    asked = (key >> np.uint64(_SCORE_BITS + width)).astype(np.int32)
    return asked, named, bits.view(np.float32)


def best_of_one(
    track: NDArray[np.int32], score: NDArray[np.float32], k: int, request: int | np.int32 = 0
) -> Candidates:
    """`top_of_long` of one request's rows."""
    bound = np.float32(0)
    if len(score) > 2 * k:
        bound = np.partition(score, len(score) - k)[len(score) - k]
    kept = (score >= bound if bound > 0 else score > 0).nonzero()[0]
    score = score[kept].astype(np.float32, copy=False)
    track = track[kept].astype(np.int32, copy=False)
    order = np.lexsort((track, -score))[:k]
    rank = np.arange(1, len(order) + 1, dtype=np.int32)
    asked = np.empty(len(order), dtype=np.int32)
    asked.fill(request)
    return Candidates(asked, track[order], score[order], rank)


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
    if matrix.shape[0] == 1:
        return _top_of_one(matrix, k)
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


def _top_of_one(matrix: sparse.csr_matrix, k: int) -> sparse.csr_matrix:
    """The same of a single row, without the bookkeeping of many: an online request is one row."""
    column, data = _best_of_one(matrix.indices, matrix.data, k)
    return sparse.csr_matrix((data, column, [0, len(data)]), shape=matrix.shape)


def _best_of_one(
    column: NDArray[np.int32], data: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    size = len(data)
    bound = np.partition(data, size - k)[size - k] if size > k else np.float32(0)
    kept = (data >= bound if bound > 0 else data > 0).nonzero()[0]
    kept = kept[np.argsort(column[kept])]
    if len(kept) > k:
        tie = data[kept] == bound
        kept = kept[~tie | (np.cumsum(tie) <= k - np.count_nonzero(~tie))]
    return column[kept], data[kept]


def strongest(rows: Rows, k: int) -> Rows:
    """The same rows with only the best `k` positive entries of each, as `top_of_rows`."""
    if len(rows) != 1:
        return rows_of(top_of_rows(rows.matrix(), k))
    return one_row(*_best_of_one(rows.column, rows.value, k), rows.width)


def top_of(rows: Rows, k: int) -> Candidates:
    """The best `k` positive entries of every row of (requests, tracks)."""
    if len(rows) != 1:
        return top_of_sparse(rows.matrix(), k)
    return best_of_one(rows.column, rows.value, k)


def top_of_sparse(scores: sparse.csr_matrix, k: int) -> Candidates:
    """The best `k` positive stored entries of every row of a (requests, tracks) matrix."""
    if scores.shape[0] == 1:
        return best_of_one(scores.indices, scores.data, k)
    best = top_of_rows(scores, k)
    return top_of_long(_row_of(best.indptr), best.indices.astype(np.int32), best.data, k)


def top_of_dense(
    scores: NDArray[np.float32],
    k: int,
    track: Named | None = None,
    exact: Exact | None = None,
) -> Candidates:
    """The best `k` positive columns of every row of a dense block, scores rounded to 2^-18.

    `track` names the track of a column in its row; without it columns are tracks.
    `exact` computes scores again where `scores` came from a product of dense matrices (best_products).
    """
    rows, columns = scores.shape
    if rows == 1:
        return _top_of_dense_row(scores[0], k, track, exact)
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
    named = column.astype(np.int32) if track is None else track(request, column)
    return top_of_long(request, named, rounded(request, named, held, exact), k)


def _top_of_dense_row(
    scores: NDArray[np.float32],
    k: int,
    track: Named | None,
    exact: Exact | None,
) -> Candidates:
    kept, held = near_best(scores, k)
    request = np.zeros(len(kept), dtype=np.int32)
    named = kept if track is None else track(request, kept)
    return best_of_one(named, rounded(request, named, held, exact), k)


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
