"""From scores to lists that can be judged: every track competes, ties count against the model.

Belongs here: lists for evaluation, where the truth is known. Does not belong here: the order in which
listeners see tracks (ml.policy), which may not look at the truth.

A model that gives many tracks the same score has not ranked them. Breaking ties by position lets such a
model win where truth stands early in the catalogue, so equal scores put the relevant tracks last.
"""

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.metrics import Lists, Truth
from ml.evaluation.pairs import locate


def ranked(
    request: NDArray[np.int32],
    track: NDArray[np.int32],
    score: NDArray[np.floating],
    truth: Truth,
    depth: int,
) -> Lists:
    """The best `depth` of each request's scored tracks: by score descending, at equal scores tracks
    that are not relevant first, then by track. A nan score is none: the track is not listed."""
    scored = ~np.isnan(score)
    request, track, score = request[scored], track[scored], score[scored]
    relevant = locate(request, track, truth.request, truth.track) >= 0
    order = np.lexsort((track, relevant, -score, request))
    request, track = request[order], track[order]
    rank = np.arange(len(order)) - np.searchsorted(request, request) + 1
    return Lists(request, track, rank.astype(np.int32)).top(depth)


def ranked_catalogue(
    score: NDArray[np.floating], truth: Truth, depth: int, *, first: int = 0
) -> Lists:
    """`ranked` over the whole catalogue: `score` (n, tracks) is of the requests from number `first`
    on. Memory grows with n x tracks: call it by blocks of requests."""
    tracks = score.shape[1]
    known = np.where(np.isnan(score), -np.inf, score)
    cut = np.partition(known, tracks - depth, axis=1)[:, tracks - depth] if depth < tracks else None
    # Every track tied with the last place stays in: which of them is listed depends on the truth.
    kept = ~np.isnan(score) if cut is None else ~np.isnan(score) & (known >= cut[:, None])
    row, track = np.nonzero(kept)
    request = (row + first).astype(np.int32)
    return ranked(request, track.astype(np.int32), score[row, track], truth, depth)
