"""Repeats and discoveries: what lists and listeners take from what was heard before.

Belongs here: which pairs are repeats, and shares of them. Does not belong here: the metrics of the two
parts (ml.evaluation.sliced, with slices.repeat_and_explore).
"""

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.averages import list_means
from ml.evaluation.metrics import Lists, Truth
from ml.evaluation.pairs import locate


def heard_before(
    listener: NDArray[np.int32],
    track: NDArray[np.int32],
    past_listener: NDArray[np.int32],
    past_track: NDArray[np.int32],
) -> NDArray[np.bool_]:
    """Whether each (`listener`, `track`) is among the past pairs, which may repeat; -1 never is."""
    return locate(listener, track, past_listener, past_track) >= 0


def shown_repeats(lists: Lists, heard: NDArray[np.bool_], requests: int) -> NDArray[np.float64]:
    """Share of each list heard before (`heard` (m), one a shown row): float64 (requests), nan without a
    list. The RepR of Tran et al. (PISA, 2024)."""
    return list_means(lists, heard.astype(np.float64), requests)


def wanted_repeats(truth: Truth, heard: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of each request's relevant tracks heard before (`heard` (t), one a row of the truth):
    float64 (requests), nan where nothing is relevant. `shown_repeats` minus this is how far a
    list repeats more than its listener does."""
    number = truth.relevant()
    repeated = np.bincount(truth.request, weights=heard, minlength=truth.requests)
    return np.where(number > 0, repeated / np.maximum(number, 1), np.nan)
