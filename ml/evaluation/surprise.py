"""How far lists reach beyond the obvious: novelty, unexpectedness, serendipity.

Belongs here: figures of one list against what is popular or what a simple model shows. Does not belong
here: similarity inside a list (variety).
"""

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.averages import list_means
from ml.evaluation.metrics import Lists, Truth, hits
from ml.evaluation.pairs import locate


def surprisal(streams: NDArray[np.integer] | NDArray[np.floating]) -> NDArray[np.float64]:
    """-log2 p of each track in bits, float64 (tracks), p = its share of `streams` (tracks) after adding
    one to each."""
    smoothed = streams + 1.0
    bits: NDArray[np.float64] = -np.log2(smoothed / smoothed.sum())
    return bits


def novelty(lists: Lists, bits: NDArray[np.float64], requests: int) -> NDArray[np.float64]:
    """Mean self-information (MSI; Zhou et al. 2010) of each list in bits: float64 (requests), nan
    without a list. `bits` (tracks) as from `surprisal`."""
    return list_means(lists, bits[lists.track], requests)


def unexpected(lists: Lists, simple: Lists) -> NDArray[np.float64]:
    """1 for each shown row (m) whose track is not in the request's list in `simple`, else 0: what a
    primitive model would not have shown (Ge, Delgado-Battenfeld and Jannach 2010)."""
    return (locate(lists.request, lists.track, simple.request, simple.track) < 0).astype(np.float64)


def above_popularity(
    lists: Lists, streams: NDArray[np.integer] | NDArray[np.floating]
) -> NDArray[np.float64]:
    """How much higher each shown row (m) stands than its popularity, from 0 to 1.

    max(0, (n + 1 - rank) / n - (n + 1 - popularity rank) / n) with n tracks in the catalogue; tracks
    with as many streams share a popularity rank and a track without streams has no popularity at
    all, as in RecTools.
    """
    tracks = len(streams)
    place = np.unique(-streams.astype(np.float64), return_inverse=True)[1]
    of_popularity = np.where(streams > 0, (tracks - place) / tracks, 0.0)
    of_list = (tracks + 1 - lists.rank.astype(np.float64)) / tracks
    above: NDArray[np.float64] = np.maximum(of_list - of_popularity[lists.track], 0.0)
    return above


def serendipity(lists: Lists, truth: Truth, surprise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over each list of relevant x `surprise` (m; `unexpected` or `above_popularity`): float64
    (requests), 0 without a list, nan where nothing is relevant."""
    gained = (hits(lists, truth) > 0) * surprise
    return np.where(
        truth.relevant() > 0, np.nan_to_num(list_means(lists, gained, truth.requests)), np.nan
    )
