"""Baselines from the literature on a benchmark case, each with the same tuning budget.

Belongs here: fitting them on the history, choosing a configuration on the validation cut, their lists.
Does not belong here: Segue's own generators (ml.benchmark.singles) or scores (ml.benchmark.scoring).

Every baseline with something to choose tries four configurations on the case cut one part earlier and is
fitted once more, as the best, on the whole history. Sessions have no listener: models of listeners fold
the session's tracks in.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import sparse

from ml.benchmark.cases import Case
from ml.benchmark.interactions import Interactions, read_interactions
from ml.benchmark.scoring import means

if TYPE_CHECKING:
    from implicit.recommender_base import RecommenderBase

Configuration = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """A block of requests: rows of `Interactions.profiles` and of `Interactions.known`."""

    profiles: sparse.csr_matrix
    known: NDArray[np.int32]


# Scores of a block's requests on all tracks, float32 (requests, tracks).
Scorer = Callable[[Asked], NDArray[np.float32]]
# At most this many scores at once: 64 MB.
_FLOATS = 16_000_000
# The most played tracks that EASE inverts a matrix of.
_EASE_TRACKS = 4_000
CHOSEN_BY = "NDCG@20"
# Requests that a configuration is chosen on: of 80,000 sessions all took a minute a configuration.
TUNED_ON = 4_000


def _popularity(data: Interactions, half_life: float) -> NDArray[np.float32]:
    weight = np.exp2(-data.age / half_life)
    total = np.bincount(data.what, weights=weight, minlength=len(data.track_ids))
    return total.astype(np.float32)


def _same_for_all(score: NDArray[np.float32]) -> Scorer:
    return lambda asked: np.tile(score, (asked.profiles.shape[0], 1))


def popularity(data: Interactions, chosen: Configuration) -> Scorer:
    """Plays, each worth half after `half_life` days (infinite: all alike)."""
    return _same_for_all(_popularity(data, chosen["half_life"]))


def personal(data: Interactions, chosen: Configuration) -> Scorer:
    """Own plays first, everybody's after."""
    everybody = _popularity(data, chosen["half_life"])
    below = everybody / (everybody.max(initial=0.0) + 1.0)
    return lambda asked: asked.profiles.toarray() + below


def item_knn(data: Interactions, chosen: Configuration) -> Scorer:
    """Cosine of who played two tracks, the nearest `neighbours` of each but itself (Sarwar et al. 2001)."""
    from implicit.nearest_neighbours import CosineRecommender
    from implicit.utils import ParameterWarning

    model = CosineRecommender(K=int(chosen["neighbours"]) + 1, num_threads=1)
    with warnings.catch_warnings():
        # implicit warns of a conversion of its own making.
        warnings.simplefilter("ignore", ParameterWarning)
        model.fit(data.counts, show_progress=False)
    near = model.similarity.tocsr()
    near.setdiag(0.0)
    return lambda asked: (asked.profiles @ near).toarray().astype(np.float32)


def ease(data: Interactions, chosen: Configuration) -> Scorer:
    """B = I - P / diag(P), P = (X'X + lambda I)^-1 on the most played tracks (Steck 2019)."""
    plays = np.asarray(data.counts.sum(axis=0)).ravel()
    most = np.sort(np.argsort(-plays, kind="stable")[:_EASE_TRACKS])
    seen = data.counts[:, most].astype(np.float64)
    seen.data[:] = 1.0
    gram = (seen.T @ seen).toarray()
    inverse = np.linalg.inv(gram + chosen["regularisation"] * np.eye(len(most)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    narrow = weights.astype(np.float32)

    def score(asked: Asked) -> NDArray[np.float32]:
        found = np.zeros(asked.profiles.shape, dtype=np.float32)
        found[:, most] = (asked.profiles[:, most] > 0).astype(np.float32) @ narrow
        return found

    return score


def ials(data: Interactions, chosen: Configuration) -> Scorer:
    """implicit's alternating least squares, listeners folded in (Hu et al. 2008)."""
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(
        factors=int(chosen["factors"]),
        regularization=chosen["regularisation"],
        alpha=chosen["alpha"],
        iterations=12,
        num_threads=1,
        random_state=int(chosen["seed"]),
    )
    _fit(model, data)

    def score(asked: Asked) -> NDArray[np.float32]:
        own = model.recalculate_user(np.arange(asked.profiles.shape[0]), asked.profiles)
        return np.asarray(own @ model.item_factors.T, dtype=np.float32)

    return score


def bpr(data: Interactions, chosen: Configuration) -> Scorer:
    """implicit's Bayesian personalised ranking (Rendle et al. 2009); a session is the mean of its tracks."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    model = BayesianPersonalizedRanking(
        factors=int(chosen["factors"]),
        learning_rate=chosen["learning_rate"],
        regularization=chosen["regularisation"],
        iterations=60,
        # More threads race on the factors: another result each time.
        num_threads=1,
        random_state=int(chosen["seed"]),
    )
    _fit(model, data)
    users, items = np.asarray(model.user_factors), np.asarray(model.item_factors)

    def score(asked: Asked) -> NDArray[np.float32]:
        size = np.maximum(np.asarray(asked.profiles.sum(axis=1)).ravel(), 1.0)
        folded = (asked.profiles @ items) / size[:, None]
        # The last factor of a listener is 1 and meets the track's bias.
        folded[:, -1] = 1.0
        known = asked.known[:, None] >= 0
        own = np.where(known, users[np.maximum(asked.known, 0)], folded)
        return np.asarray(own @ items.T, dtype=np.float32)

    return score


def _fit(model: "RecommenderBase", data: Interactions) -> None:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1, "blas"):
        model.fit(data.counts, show_progress=False)


_HALF_LIVES = tuple({"half_life": days} for days in (7.0, 30.0, 90.0, 365.0))
BASELINES: Mapping[str, tuple[Callable[..., Scorer], Sequence[Configuration]]] = {
    "most played": (popularity, ({"half_life": np.inf},)),
    "most played lately": (popularity, _HALF_LIVES),
    "own plays": (personal, _HALF_LIVES),
    "item kNN": (item_knn, tuple({"neighbours": n} for n in (20.0, 50.0, 100.0, 300.0))),
    "EASE": (ease, tuple({"regularisation": v} for v in (50.0, 200.0, 500.0, 2000.0))),
    "iALS": (
        ials,
        tuple(
            {"factors": f, "regularisation": r, "alpha": a}
            for f, r, a in (
                (32.0, 1.0, 5.0),
                (64.0, 1.0, 5.0),
                (64.0, 10.0, 20.0),
                (128.0, 5.0, 5.0),
            )
        ),
    ),
    "BPR": (
        bpr,
        tuple(
            {"factors": f, "learning_rate": r, "regularisation": g}
            for f, r, g in (
                (32.0, 0.05, 0.01),
                (64.0, 0.05, 0.01),
                (64.0, 0.02, 0.05),
                (128.0, 0.1, 0.02),
            )
        ),
    ),
}


def lists_of(score: Scorer, data: Interactions, case: Case, k: int) -> pa.Table:
    """The best `k` tracks of every request: `request_id`, `track_id`, `rank`.

    A request without a known track is answered with the most played.
    """
    size = max(1, _FLOATS // max(1, len(data.track_ids)))
    most, parts = _popularity(data, np.inf), []
    for start in range(0, len(data.request_ids), size):
        profiles, known = data.profiles[start : start + size], data.known[start : start + size]
        found = score(Asked(profiles, known))
        found[np.diff(profiles.indptr) == 0] = most
        if case.exclude_heard:
            found[profiles.nonzero()] = -np.inf
        parts.append(_top(found, k))
    best = np.concatenate(parts)
    request = np.repeat(np.arange(len(best), dtype=np.int32), best.shape[1])
    track, rank = best.ravel(), np.tile(np.arange(1, best.shape[1] + 1, dtype=np.int32), len(best))
    columns = {
        "request_id": data.request_ids.take(pa.array(request)),
        "track_id": data.track_ids.take(pa.array(track)),
        "rank": rank,
    }
    return pa.table(columns)


def _top(found: NDArray[np.float32], k: int) -> NDArray[np.int32]:
    """Columns of the `k` largest values of each row, the largest first, int32 (rows, k)."""
    k = min(k, found.shape[1])
    inside = np.sort(np.argpartition(-found, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(-np.take_along_axis(found, inside, axis=1), axis=1, kind="stable")
    return np.take_along_axis(inside, order, axis=1).astype(np.int32)


def tuned_lists(
    case: Case, validation: Case, k: int, *, seed: int
) -> Iterator[tuple[str, pa.Table]]:
    """(baseline, its lists on `case`), each as the best configuration on `validation`."""
    earlier = read_interactions(validation).sampled(TUNED_ON, seed)
    data = read_interactions(case)
    for name, (fit, configurations) in BASELINES.items():
        best = configurations[0]
        if len(configurations) > 1:
            best = _best(validation, earlier, fit, configurations, k, seed)
        yield name, lists_of(fit(data, {**best, "seed": seed}), data, case, k)


def _best(
    case: Case,
    data: Interactions,
    fit: Callable[..., Scorer],
    configurations: Sequence[Configuration],
    k: int,
    seed: int,
) -> Configuration:
    asked = pa.table({"request_id": data.request_ids})
    truth = pq.read_table(case.truth)
    truth = truth.filter(pc.is_in(truth["request_id"], data.request_ids))
    found = [
        means(asked, truth, lists_of(fit(data, {**one, "seed": seed}), data, case, k))
        for one in configurations
    ]
    values = [one[CHOSEN_BY] for one in found]
    return configurations[values.index(max(values))]
