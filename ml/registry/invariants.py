"""What every model must keep before it may serve, measured on the stored bundle.

Belongs here: answering logged requests in blocks and one by one, and comparing. Does not belong here: how
far answers may differ (policy.toml) or what follows (ml.registry.gate).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.policy.rules import apply_rules
from ml.registry.bundle import BundleError, verify_bundle
from ml.registry.evidence import Invariant
from ml.registry.ground import Ground
from ml.registry.policy import Invariants
from ml.serving.recommender import Answer, Recommender
from ml.state.requests import Requests

# Whether a model that nobody asked may serve is the gate's to say: it breaks nothing.
_NOBODY = "nobody asked"


@dataclass(frozen=True, slots=True)
class Answered:
    """Lists of n requests side by side: `track` int32 (n, k), -1 where a list ends earlier; `score` float64
    (n, k), nan there."""

    track: NDArray[np.int32]
    score: NDArray[np.float64]


def logged(grounds: Mapping[str, Ground], most: int) -> list[Requests]:
    """At most `most` test requests, evenly from every surface and day, evenly spaced in each."""
    parts = [day.requests for ground in grounds.values() for day in ground.days]
    share = max(1, most // max(1, len(parts)))
    return [requests.select(_spaced(len(requests), share)) for requests in parts]


def _spaced(size: int, most: int) -> NDArray[np.int64]:
    """At most `most` of `size` positions, evenly spaced."""
    number = min(size, most)
    return np.arange(number, dtype=np.int64) * size // max(1, number)


def _side_by_side(answer: Answer, k: int) -> Answered:
    shape = (len(answer.requests), k)
    track, score = np.full(shape, -1, dtype=np.int32), np.full(shape, np.nan)
    shown = answer.shown
    place = shown.request, shown.rank - 1
    track[place], score[place] = answer.pool.track[shown.row], answer.score[shown.row]
    return Answered(track, score)


def _stacked(parts: Sequence[Answered], k: int) -> Answered:
    tracks = [np.zeros((0, k), dtype=np.int32), *(one.track for one in parts)]
    scores = [np.zeros((0, k)), *(one.score for one in parts)]
    return Answered(np.concatenate(tracks), np.concatenate(scores))


def in_blocks(recommender: Recommender, parts: Sequence[Requests], k: int) -> Answered:
    """The lists as the daily batch makes them."""
    answers = (answer for part in parts for answer in recommender.answers(part, k))
    return _stacked([_side_by_side(answer, k) for answer in answers], k)


def one_by_one(recommender: Recommender, parts: Sequence[Requests], k: int) -> Answered:
    """The lists as a service makes them: every request on its own."""
    singles = (
        part.select(np.array([number], dtype=np.int64))
        for part in parts
        for number in range(len(part))
    )
    answers = (answer for single in singles for answer in recommender.answers(single, k))
    return _stacked([_side_by_side(answer, k) for answer in answers], k)


def differing(expected: Answered, found: Answered, tolerance: float) -> tuple[int, float]:
    """(requests with another list or score, largest difference of a score at the same track).

    Differences of scores are relative where the score is above 1.
    """
    if expected.track.shape != found.track.shape:
        return max(len(expected.track), len(found.track)), float("inf")
    same = expected.track == found.track
    gap = np.abs(expected.score - found.score) / np.maximum(1.0, np.abs(expected.score))
    gap = np.where(same & (expected.track >= 0), gap, 0.0)
    other = (~same | ~(gap <= tolerance)).any(axis=1)
    return int(other.sum()), float(gap.max(initial=0.0))


def _agree(expected: Answered, found: Answered, tolerance: float, least: float) -> Invariant:
    asked = len(expected.track)
    other, worst = differing(expected, found, tolerance)
    if not asked:
        return Invariant(True, _NOBODY)
    text = f"{asked - other} of {asked} requests alike within {tolerance:g}, worst {worst:.1e}"
    return Invariant(other <= _misses(asked, least), text)


def _misses(asked: int, least: float) -> int:
    """How many of `asked` (n > 0) may miss: none where all must hold, otherwise one at least, as a share
    of few requests is less than one; never all."""
    if least >= 1.0:
        return 0
    # (1 - 0.8) * 10 is 1.9999999999999996.
    return min(max(1, int((1.0 - least) * asked + 1e-9)), asked - 1)


def _full(recommender: Recommender, surface: str, k: int) -> int:
    """The longest list that the rules allow."""
    tracks = np.arange(recommender.state.catalogue.size, dtype=np.int32)
    zeros = np.zeros(len(tracks), dtype=np.int32)
    rules = recommender.surfaces[surface].rules
    score = zeros.astype(np.float32)
    return len(apply_rules(zeros, tracks, score, recommender.state.catalogue, rules, k).row)


def _filled(found: Answered, wanted: NDArray[np.int64], least: float) -> Invariant:
    full = int(((found.track >= 0).sum(axis=1) >= wanted).sum())
    if not len(wanted):
        return Invariant(True, _NOBODY)
    text = f"{full} of {len(wanted)} lists are full"
    return Invariant(len(wanted) - full <= _misses(len(wanted), least), text)


def _distinct(found: Answered) -> Invariant:
    ordered = np.sort(found.track, axis=1)
    twice = ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any(axis=1)
    return Invariant(not twice.any(), f"{int(twice.sum())} of {len(twice)} lists hold one twice")


def bundle_verifies(bundle: Path) -> Invariant:
    """Whether every file has its hash."""
    try:
        manifest = verify_bundle(bundle)
    except BundleError as error:
        return Invariant(False, str(error))
    return Invariant(True, f"{len(manifest.files)} files verified")


def measured(
    bundle: Path,
    built: Recommender,
    stored: Recommender,
    parts: Sequence[Requests],
    asked: Invariants,
    k: int,
) -> dict[str, Invariant]:
    """Every invariant of the policy by name.

    `built` is the model in memory on the state it was built with, `stored` the same read back from the
    bundle and the published state; `parts` are logged requests (`logged`).
    """
    expected = in_blocks(built, parts, k)
    again = in_blocks(stored, parts, k)
    online = one_by_one(stored, parts, k)
    wanted = np.concatenate(
        [
            np.zeros(0, dtype=np.int64),
            *(np.full(len(part), _full(built, part.surface, k)) for part in parts),
        ]
    )
    match = asked.online_matches_batch
    return {
        "bundle_verifies": bundle_verifies(bundle),
        "scores_reproduce": _agree(expected, again, asked.scores_reproduce.tolerance, 1.0),
        "lists_are_full": _filled(expected, wanted, asked.lists_are_full.least_share),
        "no_track_twice": _distinct(expected),
        "online_matches_batch": _agree(expected, online, match.tolerance, match.least_share),
    }
