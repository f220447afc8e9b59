"""The one function that assembles the ranker's matrix, for training, batch and online alike.

Belongs here: the order of feature families and their assembly. Does not belong here: the families
themselves (listener_features, content_features, session_features) or look-ups (ml.state).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.friends import Friends
from ml.candidates.merge import Pool
from ml.candidates.recent import latest_tracks
from ml.ranking.content_features import content_features
from ml.ranking.friend_features import friend_features
from ml.ranking.listener_features import artist_features, listener_features, pair_features
from ml.ranking.relation_features import relation_features
from ml.ranking.session_features import session_features
from ml.ranking.since_features import since_features
from ml.ranking.track_features import track_features
from ml.state.requests import Requests
from ml.state.state import State
from ml.state.taste import taste_profiles

Named = dict[str, NDArray[np.float32]]

# Tracks of the listener that a Home candidate is held against one by one.
_LATEST = 5

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


def source_features(pool: Pool) -> Named:
    """Each generator's score and rank (nan = did not propose it), how many agree, and their
    reciprocal-rank sum (Cormack et al. 2009, with constant 60)."""
    columns: Named = {}
    for row, name in enumerate(pool.generators):
        columns[f"source_{name}_score"] = pool.score[row]
        columns[f"source_{name}_rank"] = pool.rank[row]
    present = ~np.isnan(pool.rank)
    columns["source_count"] = np.add.reduce(present, axis=0, dtype=np.float32)
    # Infinitely far down adds nothing.
    rank = np.where(present, pool.rank, np.float32(np.inf))
    columns["source_fusion"] = np.add.reduce(1.0 / (60.0 + rank), axis=0)
    columns["source_best"] = np.minimum.reduce(rank, axis=0, initial=np.inf)
    return columns


def _of_rows(column: NDArray[np.float32], request: NDArray[np.int32]) -> NDArray[np.float32]:
    """A column over requests as one over the pool's rows."""
    rows: NDArray[np.float32] = column[request] if len(column) > 1 else column.repeat(len(request))
    return rows


def _families(
    requests: Requests,
    pool: Pool,
    state: State,
    vectors: NDArray[np.float32] | None,
    relations: Mapping[str, sparse.csr_matrix],
) -> Iterator[Named]:
    user = requests.user[pool.request]
    profiles = taste_profiles(requests, state, vectors)
    yield source_features(pool)
    pairs = pair_features(state, user, pool.track) | artist_features(state, user, pool.track)
    yield pairs
    listener = listener_features(state, requests.user)
    yield {name: _of_rows(column, pool.request) for name, column in listener.items()}
    yield track_features(state, pool.track)
    yield content_features(profiles, requests, state, vectors, pool.request, pool.track)
    if requests.surface == "now_playing":
        yield session_features(requests, state, vectors, pool.request, pool.track)
        yield since_features(requests, pairs, state, pool.request, pool.track)
        yield relation_features(requests, relations, pool.request, pool.track)
    else:
        latest = latest_tracks(requests, state, _LATEST)
        yield relation_features(latest, relations, pool.request, pool.track, "latest")
    if Friends.name in pool.generators:
        yield friend_features(requests, state, pool.request, pool.track)


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
    columns: Named = {}
    for named in _families(requests, pool, state, vectors, relations):
        columns |= named
    # Columns stay one after the other: XGBoost reads them so at the same speed, and turning them cost a
    # twelfth of a batch.
    laid = np.concatenate(list(columns.values()), dtype=np.float32, casting="same_kind")
    return FeatureMatrix(tuple(columns), laid.reshape(len(columns), -1).T)
