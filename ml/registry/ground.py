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
from ml.evaluation.calibration import distribution, membership, miscalibration
from ml.evaluation.metrics import Lists, Truth, per_request
from ml.evaluation.repeats import shown_repeats, wanted_repeats
from ml.evaluation.slices import history_lengths, popularity_tiers
from ml.evaluation.surprise import novelty, surprisal
from ml.ranking.asked import AskedDay, genre_membership, heard_on, plays_before, tastes
from ml.registry.evidence import SurfaceEvidence
from ml.state.catalogue import Catalogue

_NEW, _LIGHT, _HEAVY = 0, 1, 3
_TAIL = 2


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
        """As `heard_on` of the days."""
        return heard_on(self.days, request, track, session=session)


def groups_of(ground: Ground) -> sparse.csr_array:
    """p(group | track) (tracks, groups): the most common genres, popularity tiers where there are none."""
    if not ground.catalogue.genres.nnz:
        everything = Truth(
            np.zeros(ground.catalogue.size, dtype=np.int32),
            np.arange(ground.catalogue.size, dtype=np.int32),
            np.ones(ground.catalogue.size, dtype=np.int8),
            1,
        )
        tiers = popularity_tiers(everything, ground.streams)
        return membership(tiers.code.astype(np.int32), len(tiers.labels))
    return genre_membership(ground.catalogue)


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
        "calibration": miscalibration(tastes(ground.days, member), held),
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
