"""Features of a listener, of a listener and a track, and of a listener and an artist.

Belongs here: transforms of state columns per candidate row. Does not belong here: anything that looks
at other rows or at time of day.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ml.ranking.family import Family, Out
from ml.state.columns import PairTable
from ml.state.state import State

# What `ml.kernels.columns.habits` is told of, and what it makes of it.
_TOLD = (
    "streams",
    "active_days",
    "last_played_age",
    "sessions",
    "streams_h3",
    "streams_h22",
    "skips_h22",
    "plays_h22",
    "repeats_h22",
    "new_tracks",
    "plays",
)
_HABITS = (
    "listener_streams",
    "listener_active_days",
    "listener_last_played_age",
    "listener_streams_per_session",
    "listener_activity_trend",
    "listener_skip_rate",
    "listener_repeat_rate",
    "listener_new_track_rate",
)


@cache
def _places(names: tuple[str, ...], sought: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([names.index(name) for name in sought], dtype=np.int64)


@cache
def _ages(names: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array([name.endswith("_age") for name in names], dtype=np.bool_)


@cache
def _pair_names(names: tuple[str, ...], prefix: str) -> tuple[str, ...]:
    return tuple(prefix + name for name in (*names, "skip_rate", "share"))


def pair_features(
    state: State, user: NDArray[np.int32], request: NDArray[np.int32], track: NDArray[np.int32]
) -> Family:
    """What the listeners `user` of requests did with this very track: rows (m,) each."""
    return _with_item(state, state.user_tracks, user, request, track, "listener_track_")


def artist_features(
    state: State, user: NDArray[np.int32], request: NDArray[np.int32], track: NDArray[np.int32]
) -> Family:
    """What the listeners `user` of requests did with this track's artist."""
    artist = state.catalogue.artist.take(track)
    return _with_item(state, state.user_artists, user, request, artist, "listener_artist_")


def _with_item(
    state: State,
    pairs: PairTable,
    user: NDArray[np.int32],
    request: NDArray[np.int32],
    item: NDArray[np.int32],
    prefix: str,
) -> Family:
    """All columns of each pair, sums as log(1 + x) (0 without a pair), ages in days (nan without); the skip rate
    (nan without plays) and the share of the listener's streams (nan without any)."""
    from ml.kernels.pairs import known_pairs

    names, values = pairs.columns.names, pairs.columns.values
    named, total = _places(names, ("plays", "skips", "streams_h22")), state.users["streams_h22"]

    def fill(out: Out) -> None:
        known_pairs(
            pairs.indptr, pairs.item, values, _ages(names), named, total, user, request, item, out
        )

    return Family(_pair_names(names, prefix), fill)


def listener_features(state: State, user: NDArray[np.int32], request: NDArray[np.int32]) -> Family:
    """How the listeners `user` of requests listen: activity, skipping, repeating, novelty; nan for unknown
    ones; rows (m,) each."""
    from ml.kernels.columns import habits

    named = _places(state.users.names, _TOLD)
    return Family(_HABITS, lambda out: habits(state.users.values, named, user, request, out))
