"""Slices: parts of the truth on which models are judged apart.

Belongs here: which slice each relevant track of each request is in. Does not belong here: metrics of
the slices (ml.evaluation.sliced).

A slice of requests (a long history, the morning) holds all their relevant tracks; a slice of targets
(the tail, repeats) only some of a request's. Either way a slice is a part of the truth's rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.metrics import Truth

HEAD_SHARE, MID_SHARE = 0.5, 0.8
HISTORY_BOUNDS = (5, 50, 500)
_HISTORY = ("under 5 streams", "5 to 49 streams", "50 to 499 streams", "500 streams and more")
_TIERS = ("head", "mid", "tail", "cold")
_HOURS = ("night (0-6 UTC)", "morning (6-12 UTC)", "afternoon (12-18 UTC)", "evening (18-24 UTC)")
_HOUR, _DAY = 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Slices:
    """A family of slices: `code` int8 (t), one a row of the truth, index into `labels`, -1 = none."""

    family: str
    labels: tuple[str, ...]
    code: NDArray[np.int8]


def everything(truth: Truth) -> Slices:
    """All requests and targets, to set the slices beside."""
    return Slices("all", ("all",), np.zeros(len(truth.request), dtype=np.int8))


def popularity_tiers(truth: Truth, streams: NDArray[np.integer] | NDArray[np.floating]) -> Slices:
    """Targets by popularity before the cut; `streams` (tracks), plain or decayed.

    The most streamed tracks that make half of all streams are the head, those up to four fifths the
    mid, other streamed ones the tail. Cold targets were never streamed, or are outside `streams`.
    """
    # Unsigned counts do not know a minus.
    streams = streams.astype(np.float64)
    order = np.argsort(-streams, kind="stable")
    ahead = np.empty(len(streams))
    ahead[order] = np.cumsum(streams[order]) - streams[order]
    bounds = np.array([HEAD_SHARE, MID_SHARE]) * streams.sum()
    tier = np.searchsorted(bounds, ahead, side="right").astype(np.int8)
    cold = np.int8(len(_TIERS) - 1)
    tier[streams <= 0] = cold
    inside = (truth.track >= 0) & (truth.track < len(streams))
    code = np.full(len(truth.track), cold, dtype=np.int8)
    code[inside] = tier[truth.track[inside]]
    return Slices("popularity of the target", _TIERS, code)


def history_lengths(truth: Truth, streams: NDArray[np.integer]) -> Slices:
    """Requests by the listener's streams before them, `streams` (requests), 0 = nobody known."""
    band = np.searchsorted(HISTORY_BOUNDS, streams, side="right").astype(np.int8)
    return Slices("history of the listener", _HISTORY, band[truth.request])


def times_of_day(truth: Truth, at: NDArray[np.int64]) -> Slices:
    """Requests by the UTC quarter of their day; `at` int64 (requests) epoch seconds."""
    quarter = (at % _DAY // (6 * _HOUR)).astype(np.int8)
    return Slices("time of day", _HOURS, quarter[truth.request])


def repeat_and_explore(heard: NDArray[np.bool_]) -> Slices:
    """Targets the listener had heard before the request, and others; `heard` bool (t), one a row of the
    truth, as from `repeats.heard_before`. Ideal and recall are those of the part (the repeat
    and explore metrics of PISA, Tran et al. 2024)."""
    return Slices("repeat or explore", ("repeat", "explore"), np.where(heard, 0, 1).astype(np.int8))
