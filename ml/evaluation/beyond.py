"""What lists do beyond accuracy: coverage, concentration, novelty, repeats.

Belongs here: metrics that need no truth. Does not belong here: verdicts on them.
"""

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.metrics import Lists


def coverage(lists: Lists, tracks: int) -> float:
    """Share of the catalogue that is shown at least once."""
    return len(np.unique(lists.track)) / tracks if tracks else float("nan")


def gini(counts: NDArray[np.int64]) -> float:
    """Gini coefficient of exposure: sum_i (2i - n - 1) x_(i) / (n sum x), 0 = all alike."""
    size, total = len(counts), counts.sum()
    if not size or not total:
        return float("nan")
    weight = 2.0 * np.arange(1, size + 1) - size - 1
    return float((weight * np.sort(counts)).sum() / (size * total))


def exposure_gini(lists: Lists, group: NDArray[np.int32], groups: int) -> float:
    """Gini of how often each group (track or artist; -1 = none) is shown, all groups counted."""
    shown = group[lists.track]
    return gini(np.bincount(shown[shown >= 0], minlength=groups))


def novelty(lists: Lists, streams: NDArray[np.float64]) -> float:
    """Mean surprisal -log2 p of shown tracks, p = smoothed share of streams (add one)."""
    if not len(lists.track):
        return float("nan")
    share = (streams + 1.0) / (streams + 1.0).sum()
    return float(-np.log2(share[lists.track]).mean())


def intra_list_diversity(lists: Lists, vectors: NDArray[np.float32]) -> float:
    """Mean over lists of 1 - mean pairwise cosine; from the length of the sum of unit vectors."""
    requests, start, count = np.unique(lists.request, return_index=True, return_counts=True)
    several = count > 1
    if not len(requests) or not several.any():
        return float("nan")
    total = np.add.reduceat(vectors[lists.track].astype(np.float64), start, axis=0)
    own = np.add.reduceat((vectors[lists.track].astype(np.float64) ** 2).sum(axis=1), start)
    pairs = (count * (count - 1))[several]
    cosine = ((total**2).sum(axis=1) - own)[several] / pairs
    return float(1.0 - cosine.mean())
