"""The one function that assembles the ranker's matrix, for training, batch and online alike.

Belongs here: the order of feature families and their assembly. Does not belong here: the families
themselves (listener_features, content_features, session_features) or look-ups (ml.state).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.friends import Friends
from ml.candidates.merge import Pool
from ml.candidates.recent import own_latest
from ml.ranking.content_features import content_features
from ml.ranking.family import Family, filled
from ml.ranking.friend_features import friend_features
from ml.ranking.listener_features import artist_features, listener_features, pair_features
from ml.ranking.relation_features import relation_features
from ml.ranking.session_features import session_features
from ml.ranking.since_features import since_features
from ml.ranking.track_features import track_features
from ml.state.requests import Requests
from ml.state.state import State

# Prefix of a feature's name -> its family, longest prefix first: reasons and ablations sum by family.
FAMILIES = {
    "source_": "how it was found",
    "listener_track_": "the listener and this track",
    "listener_artist_": "the listener and this artist",
    "listener_": "the listener",
    "latest_": "what the listener played last",
    "track_": "the track",
    "text_": "words and genres",
    "friends_": "friends",
    "session_": "the running session",
}


@dataclass(frozen=True, slots=True)
class FeatureMatrix:
    """`values` float32 (rows, features), column after column in memory, nan = not known; `names` in column
    order."""

    names: tuple[str, ...]
    values: NDArray[np.float32]


def family(name: str) -> str:
    """The family of a feature."""
    return next(title for prefix, title in FAMILIES.items() if name.startswith(prefix))


@cache
def _source_names(generators: tuple[str, ...]) -> tuple[str, ...]:
    own = (f"source_{name}_{kind}" for name in generators for kind in ("score", "rank"))
    return (*own, "source_count", "source_fusion", "source_best")


def source_features(pool: Pool) -> Family:
    """Each generator's score and rank (nan = did not propose it), how many agree, and their
    reciprocal-rank sum (Cormack et al. 2009, with constant 60)."""
    from ml.kernels.columns import sources

    # A pool from elsewhere may lie the other way round in memory.
    score, rank = np.ascontiguousarray(pool.score), np.ascontiguousarray(pool.rank)
    return Family(_source_names(pool.generators), lambda out: sources(score, rank, out))


def _families(
    requests: Requests,
    pool: Pool,
    state: State,
    vectors: NDArray[np.float32] | None,
    relations: Mapping[str, sparse.csr_matrix],
) -> Iterator[Family]:
    rows = (pool.request, pool.track)
    yield source_features(pool)
    yield pair_features(state, requests.user, *rows)
    yield artist_features(state, requests.user, *rows)
    yield listener_features(state, requests.user, pool.request)
    yield track_features(state, pool.track)
    yield content_features(requests, state, vectors, *rows)
    if requests.surface == "now_playing":
        yield session_features(requests, state, vectors, *rows)
        yield since_features(requests, state, *rows)
        yield relation_features(requests, relations, *rows)
    else:
        yield relation_features(own_latest(requests, state), relations, *rows, "latest")
    if Friends.name in pool.generators:
        yield friend_features(requests, state, *rows)


def assemble(
    requests: Requests,
    pool: Pool,
    state: State,
    vectors: NDArray[np.float32] | None,
    relations: Mapping[str, sparse.csr_matrix],
) -> FeatureMatrix:
    """The ranker's input: one row a (request, candidate) of `pool`, in its order.

    A row depends on its own request, candidate and the state only, never on the other rows: a
    sample of rows has the same values as the whole. `vectors` float32 (tracks, d), L2-normalised text
    vectors in the state's order, or None; `relations` (tracks, tracks) by name, what sources learned
    of pairs of tracks.
    """
    # Columns stay one after the other: XGBoost reads them so at the same speed, and turning them cost a
    # twelfth of a batch.
    names, values = filled(_families(requests, pool, state, vectors, relations), len(pool.track))
    return FeatureMatrix(names, values.T)
