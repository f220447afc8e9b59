"""The ground on which two models meet: the test requests of a surface and what is known of them.

Belongs here: facts that are the same for every model, and a model's figures on them. Does not belong here:
a model's lists (ml.ranking.rivals), metric formulas (ml.evaluation) or margins (ml.registry.policy).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.evaluation.beyond import coverage, exposure_gini
from ml.evaluation.calibration import (
    distribution,
    membership,
    miscalibration,
    shared_membership,
)
from ml.evaluation.metrics import Lists, Truth, per_request
from ml.evaluation.pairs import locate
from ml.evaluation.repeats import shown_repeats, wanted_repeats
from ml.evaluation.slices import history_lengths, popularity_tiers
from ml.evaluation.surprise import novelty, surprisal
from ml.registry.evidence import SurfaceEvidence
from ml.state.catalogue import Catalogue
from ml.state.requests import Requests
from ml.state.state import State

# Genres and tags beyond the most common ones are held by few tracks and cost memory.
_MOST_GROUPS = 50
_LIKING = "streams_h180"
_NEW, _LIGHT, _HEAVY = 0, 1, 3
_TAIL = 2


@dataclass(frozen=True, slots=True)
class AskedDay:
    """Requests of a test day, the first of them numbered `first`, and the state of that day."""

    first: int
    requests: Requests
    state: State

    def of(self, request: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of the numbered requests are this day's."""
        return (request >= self.first) & (request < self.first + len(self.requests))


@dataclass(frozen=True, slots=True)
class ModelLists:
    """A model's lists on n requests: as shown, of unheard tracks only (`fresh`), and which requests decayed
    popularity alone answered, float64 (n) of 0 and 1."""

    shown: Lists
    fresh: Lists
    fallback: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ground:
    """n test requests of one surface.

    `listener` int32 (n) is resampled; `popularity` NDCG@10 of decayed popularity; `streams` float64
    (tracks) before the test; `catalogue` the last day's, which begins with every earlier one.
    """

    days: Sequence[AskedDay]
    keys: tuple[str, ...]
    listener: NDArray[np.int32]
    truth: Truth
    popularity: NDArray[np.float64]
    streams: NDArray[np.float64]
    catalogue: Catalogue

    def heard(
        self, request: NDArray[np.int32], track: NDArray[np.int32], *, session: bool = False
    ) -> NDArray[np.bool_]:
        """Whether each row's track was heard by its request's listener before the day, or (with `session`)
        in the running session."""
        found = np.zeros(len(request), dtype=np.bool_)
        for day in self.days:
            own = day.of(request)
            number, played = (request[own] - day.first).astype(np.int32), track[own]
            before = day.state.user_tracks.find(day.requests.user[number], played) >= 0
            if session:
                owner = np.repeat(np.arange(len(day.requests)), day.requests.session_length())
                before |= locate(number, played, owner, day.requests.session_track) >= 0
            found[own] = before
        return found


def plays_before(days: Sequence[AskedDay], name: str) -> NDArray[np.float64]:
    """A column of the listeners' state on the day of each request, float64 (n), 0 for unknown ones."""
    parts = [np.zeros(0)]
    for day in days:
        user = day.requests.user
        known = np.where(user >= 0, user, 0)
        column = day.state.users[name] if day.state.users.rows else np.zeros(1)
        parts.append(np.where(user >= 0, column[known], 0.0))
    return np.concatenate(parts).astype(np.float64)


def groups_of(ground: Ground) -> sparse.csr_array:
    """p(group | track) (tracks, groups): the most common genres, popularity tiers where there are none."""
    genres = ground.catalogue.genres
    if not genres.nnz:
        everything = Truth(
            np.zeros(ground.catalogue.size, dtype=np.int32),
            np.arange(ground.catalogue.size, dtype=np.int32),
            np.ones(ground.catalogue.size, dtype=np.int8),
            1,
        )
        tiers = popularity_tiers(everything, ground.streams)
        return membership(tiers.code.astype(np.int32), len(tiers.labels))
    count = np.bincount(genres.indices, minlength=genres.shape[1])
    common = np.sort(np.argsort(-count, kind="stable")[:_MOST_GROUPS])
    kept = genres[:, common]
    kept.sort_indices()
    return shared_membership(kept.indptr, kept.indices, len(common))


def profiles(days: Sequence[AskedDay], member: sparse.csr_array) -> NDArray[np.float64]:
    """Each request's listener in shares of the groups, float64 (n, groups), nan for new ones."""
    parts = [np.zeros((0, member.shape[1]))]
    for day in days:
        users, place = np.unique(day.requests.user, return_inverse=True)
        pairs = day.state.user_tracks
        owner, position = pairs.take(users.astype(np.int32))
        weight = pairs.columns[_LIKING][position] if pairs.columns.rows else np.zeros(0)
        track = pairs.item[position]
        parts.append(distribution(owner, track, weight, member, len(users))[place])
    return np.concatenate(parts)


def _by_listener(values: NDArray[np.float64], listener: NDArray[np.int32]) -> NDArray[np.float64]:
    """The absolute value of each listener's mean, at every request that has a value."""
    kept = ~np.isnan(values)
    users, owner = np.unique(listener, return_inverse=True)
    total = np.bincount(owner[kept], weights=values[kept], minlength=len(users))
    count = np.bincount(owner[kept], minlength=len(users))
    return np.where(kept, np.abs(total / np.maximum(count, 1))[owner], np.nan)


def _slices(ground: Ground, lists: ModelLists) -> dict[str, NDArray[np.float64]]:
    """NDCG@10 on the policy's slices."""
    truth = ground.truth
    plays = plays_before(ground.days, "streams").astype(np.int64)
    history = history_lengths(truth, plays).code
    tier = popularity_tiers(truth, ground.streams).code
    bands = {"new_listeners": _NEW, "light_listeners": _LIGHT, "heavy_listeners": _HEAVY}
    parts = {name: truth.select(history == band) for name, band in bands.items()}
    parts["tail_tracks"] = truth.select(tier == _TAIL)
    found = {name: per_request(lists.shown, part, 10)["ndcg"] for name, part in parts.items()}
    unheard = truth.select(~ground.heard(truth.request, truth.track, session=True))
    return found | {"new_only": per_request(lists.fresh, unheard, 10)["ndcg"]}


def _measures(ground: Ground, lists: ModelLists) -> dict[str, NDArray[np.float64]]:
    """The policy's guardrails that have a value a request."""
    shown, truth = lists.shown, ground.truth
    repeated = shown_repeats(shown, ground.heard(shown.request, shown.track), truth.requests)
    wanted = wanted_repeats(truth, ground.heard(truth.request, truth.track))
    member = groups_of(ground)
    ones = np.ones(len(shown.track))
    held = distribution(shown.request, shown.track, ones, member, truth.requests)
    return {
        "novelty": novelty(shown, surprisal(ground.streams), truth.requests),
        "repeats": _by_listener(repeated - wanted, ground.listener),
        "calibration": miscalibration(profiles(ground.days, member), held),
        "fallback": lists.fallback,
    }


def surface_evidence(ground: Ground, lists: ModelLists) -> SurfaceEvidence:
    """Everything the gate weighs of a model on one surface."""
    catalogue = ground.catalogue
    artists = len(catalogue.artist_ids)
    exposed = catalogue.artist if artists else np.arange(catalogue.size, dtype=np.int32)
    return SurfaceEvidence(
        ground.keys,
        ground.listener,
        per_request(lists.shown, ground.truth, 10)["ndcg"],
        ground.popularity,
        _measures(ground, lists),
        _slices(ground, lists),
        {
            "coverage": coverage(lists.shown, catalogue.size),
            "gini": exposure_gini(lists.shown, exposed, artists or catalogue.size),
        },
    )
