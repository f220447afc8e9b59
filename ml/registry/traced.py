"""An answer once more, with everything behind one shown track.

Belongs here: generator scores, feature values and their exact contributions. Does not belong here: finding
the list or the files behind the state (orchestration.cli.tracing).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.ranking.features import FeatureMatrix, family
from ml.ranking.model import Ranker
from ml.serving.recommender import Answer, Recommender
from ml.state.requests import Requests


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a generator thought of the track; nan = it did not propose it."""

    generator: str
    score: float
    rank: float


@dataclass(frozen=True, slots=True)
class FeatureShare:
    """A feature's value and what it added to the score, in the score's unit (exact SHAP)."""

    family: str
    name: str
    value: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Explained:
    """One shown track: who proposed it, and how its score came about.

    `families` are sums of `features` by family, largest first; both are empty where a generator's order
    serves. Their sum and `base` (the score of a row that nothing is known of) make `score`.
    """

    track_id: str
    score: float
    proposals: Sequence[Proposal]
    base: float
    families: Mapping[str, float]
    features: Sequence[FeatureShare]


def explained(
    recommender: Recommender, requests: Requests, k: int, track_id: str
) -> Explained | None:
    """The track in the first request's list, None where this model does not show it."""
    answer = next(recommender.answers(requests.select(np.zeros(1, dtype=np.int64)), k))
    [track] = recommender.state.catalogue.index_of([track_id])
    shown = answer.shown.row[answer.pool.track[answer.shown.row] == track]
    if not len(shown):
        return None
    row = int(shown[0])
    proposals = [
        Proposal(name, float(answer.pool.score[place, row]), float(answer.pool.rank[place, row]))
        for place, name in enumerate(answer.pool.generators)
    ]
    proposals.sort(key=lambda one: (np.isnan(one.rank), one.rank, one.generator))
    base, features = _contributions(recommender, answer, row)
    families: dict[str, float] = {}
    for one in features:
        families[one.family] = families.get(one.family, 0.0) + one.contribution
    ordered = dict(sorted(families.items(), key=lambda item: -abs(item[1])))
    return Explained(track_id, float(answer.score[row]), proposals, base, ordered, features)


def _contributions(
    recommender: Recommender, answer: Answer, row: int
) -> tuple[float, list[FeatureShare]]:
    """(base, features by size of what they added)."""
    ranker = recommender.surfaces[answer.requests.surface].ranker
    if ranker is None:
        return 0.0, []
    names, values = answer.features.names, answer.features.values[row : row + 1]
    added = feature_contributions(ranker, FeatureMatrix(names, values))[0]
    features = [
        FeatureShare(family(name), name, float(values[0, place]), float(added[place]))
        for place, name in enumerate(names)
    ]
    return float(added[-1]), sorted(features, key=lambda one: (-abs(one.contribution), one.name))


def feature_contributions(ranker: Ranker, features: FeatureMatrix) -> NDArray[np.float32]:
    """Exact SHAP values float32 (rows, features + 1), the last column the base; a row sums to its score
    (Lundberg et al. 2018)."""
    import xgboost  # 1.0 s

    matrix = xgboost.DMatrix(features.values)
    values: NDArray[np.float32] = ranker.booster.predict(matrix, pred_contribs=True)
    return values
