"""What the lists of all requests do together: coverage and concentration of exposure.

Belongs here: figures of a whole set of lists. Does not belong here: figures of one list (surprise,
variety, calibration, repeats) or verdicts.
"""

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.metrics import Lists


def coverage(lists: Lists, tracks: int) -> float:
    """Share of the catalogue that is shown at least once."""
    shown = np.count_nonzero(np.bincount(lists.track, minlength=tracks))
    return shown / tracks if tracks else float("nan")


def gini(counts: NDArray[np.int64] | NDArray[np.float64]) -> float:
    """Gini coefficient of exposure: sum_i (2i - n - 1) x_(i) / (n sum x); 0 = all alike, (n - 1) / n =
    one has all."""
    size, total = len(counts), counts.sum()
    if not size or not total:
        return float("nan")
    weight = 2.0 * np.arange(1, size + 1) - size - 1
    return float((weight * np.sort(counts)).sum() / (size * total))


def exposure(
    lists: Lists, group: NDArray[np.int32], groups: int, *, discounted: bool = False
) -> NDArray[np.float64]:
    """How often each group is shown, float64 (groups); `group` int32 (tracks) is a track's own index or
    its artist's, -1 = none. `discounted` weighs a place by 1 / log2(1 + rank), as attention falls."""
    shown = group[lists.track]
    known = shown >= 0
    weight = 1.0 / np.log2(1.0 + lists.rank[known]) if discounted else None
    return np.bincount(shown[known], weights=weight, minlength=groups).astype(np.float64)


def exposure_gini(lists: Lists, group: NDArray[np.int32], groups: int) -> float:
    """Gini of how often each group (track or artist; -1 = none) is shown, all groups counted."""
    return gini(exposure(lists, group, groups))
