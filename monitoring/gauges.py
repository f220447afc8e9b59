"""Gauges tracked per day beside what is judged: the feedback loop and where listens come from.

Belongs here: concentration of what is shown, likeness of listeners' lists, organic and surface shares.
Does not belong here: verdicts: a gauge moves for good reasons as well, and a person reads its trend.

A recommender that learns from what it showed narrows what it shows (Chaney, Stewart and Engelhardt, RecSys
2018): exposure concentrates, lists grow alike, and fewer listens are organic.
"""

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.beyond import gini
from ml.evaluation.metrics import Lists
from monitoring.profile import Profile


def of_listens(profile: Profile) -> dict[str, float]:
    """`organic_share`, listens without a request, and `surface_share.<surface>` of a day's profile.

    Empty on a day without listens.
    """
    if profile.listens <= 0:
        return {}
    organic = {"organic_share": 1.0 - profile.numbers["requested_share"]}
    shares = {f"surface_share.{name}": one for name, one in profile.shares["surface"].items()}
    return organic | shares


def of_lists(shown: Lists, k: int) -> dict[str, float]:
    """`exposure_gini_at_k` and `list_similarity_at_k` of the lists of everybody, cut at k.

    Left out where they do not exist: one track, or one list.
    """
    counts = _exposure(shown, k)
    lists = len(np.unique(shown.request))
    numbers: dict[str, float] = {}
    if len(counts) > 1:
        numbers[f"exposure_gini_at_{k}"] = exposure_gini(counts)
    if lists > 1:
        numbers[f"list_similarity_at_{k}"] = list_similarity(counts, lists, k)
    return numbers


def exposure_gini(counts: NDArray[np.int64]) -> float:
    """Gini coefficient of how often each of the n *shown* tracks is shown, over its largest value.

    sum_i (2i - n - 1) x_(i) / ((n - 1) sum x): 0 = all alike, 1 = one has all; the definition of
    Evidently's PopularityBiasMetric(metric="gini").
    """
    size = len(counts)
    return gini(counts) * size / (size - 1)


def list_similarity(counts: NDArray[np.int64], lists: int, k: int) -> float:
    """Mean share of the top k that two lists have in common, over all pairs of lists.

    A track in x lists is common to x (x - 1) ordered pairs, so the mean is sum x (x - 1) / (k u (u - 1))
    for u lists: one minus Evidently's Personalization where every list is k long.
    """
    return float((counts * (counts - 1)).sum() / (k * lists * (lists - 1)))


def _exposure(shown: Lists, k: int) -> NDArray[np.int64]:
    """How often each track that is shown at all stands in a top k."""
    return np.unique(shown.track[shown.rank <= k], return_counts=True)[1].astype(np.int64)
