"""Nearest neighbours by cosine, exact.

Belongs here: search. Does not belong here: what the vectors stand for.
"""

import numpy as np
from numpy.typing import NDArray

# A product of matrices differs in its last bits with the block's shape; scores are rounded to this
# step, so that equal vectors tie and the block size changes no answer.
_SCORE_STEP = np.float32(2.0**-20)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length one; zero rows stay zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (vectors / np.where(length > 0, length, 1)).astype(np.float32)
    return scaled


def _top(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Columns of the k largest scores of each row, best first, ties by column."""
    rows, columns = scores.shape
    if k < columns:
        top = np.argpartition(scores, columns - k, axis=1)[:, columns - k :]
        least = np.take_along_axis(scores, top, axis=1).min(axis=1, keepdims=True)
        # argpartition picks any of the columns that tie at the last place: mend those rows.
        for row in np.flatnonzero(np.count_nonzero(scores >= least, axis=1) > k):
            above = np.flatnonzero(scores[row] > least[row])
            level = np.flatnonzero(scores[row] == least[row])
            top[row] = np.concatenate([above, level[: k - len(above)]])
    else:
        top = np.broadcast_to(np.arange(columns), (rows, columns))
    order = np.lexsort((top, -np.take_along_axis(scores, top, axis=1)), axis=-1)
    return np.take_along_axis(top, order, axis=1)


def nearest(
    queries: NDArray[np.float32],
    vectors: NDArray[np.float32],
    k: int,
    *,
    exclude: NDArray[np.int32] | None = None,
    block: int = 256,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The k rows of `vectors` (n, d) most similar to each of `queries` (q, d).

    `exclude` int32 (q) is a row that may not answer its query (-1: none). A zero vector (a track
    without text) has no neighbours and is nobody's. Returns indices int32 and cosines float32, both
    (q, k), best first, ties by index; where fewer than k rows can answer, -1 and 0. `block` queries
    are compared at a time: block * n * 4 bytes.
    """
    queries, vectors = unit(queries), unit(vectors)
    indices = np.full((len(queries), k), -1, dtype=np.int32)
    scores = np.zeros((len(queries), k), dtype=np.float32)
    silent = ~vectors.any(axis=1)
    width = min(k, len(vectors))
    if width == 0:
        return indices, scores
    for start in range(0, len(queries), block):
        part = queries[start : start + block]
        cosine = part @ vectors.T
        np.rint(cosine / _SCORE_STEP, out=cosine)
        cosine *= _SCORE_STEP
        cosine[:, silent] = -np.inf
        cosine[~part.any(axis=1)] = -np.inf
        if exclude is not None:
            barred = exclude[start : start + block]
            cosine[np.flatnonzero(barred >= 0), barred[barred >= 0]] = -np.inf
        top = _top(cosine, width)
        found = np.take_along_axis(cosine, top, axis=1)
        answers = np.isfinite(found)
        indices[start : start + block, :width] = np.where(answers, top, -1)
        scores[start : start + block, :width] = np.where(answers, found, 0)
    return indices, scores
