"""Features of a listener, of a listener and a track, and of a listener and an artist.

Belongs here: transforms of state columns per candidate row. Does not belong here: anything that looks
at other rows or at time of day.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ml.state.columns import Columns
from ml.state.state import State

Named = dict[str, NDArray[np.float32]]

# Weight of the prior in smoothed rates: a rate needs about this many plays to speak for itself.
_PRIOR_PLAYS = 5.0


def _ratio(part: NDArray[np.float32], whole: NDArray[np.float32]) -> NDArray[np.float32]:
    """part / whole, nan where the whole is zero."""
    share = np.full(len(part), np.nan, dtype=np.float32)
    np.divide(part, whole, out=share, where=whole > 0)
    return share


def smoothed_rate(
    part: NDArray[np.float32], whole: NDArray[np.float32], prior: float
) -> NDArray[np.float32]:
    """(part + a * prior) / (whole + a) with a = 5 plays (Bayesian average)."""
    return ((part + _PRIOR_PLAYS * prior) / (whole + _PRIOR_PLAYS)).astype(np.float32)


def _user_at(state: State, user: NDArray[np.int32], name: str) -> NDArray[np.float32]:
    if not state.users.rows:
        return np.full(len(user), np.nan, dtype=np.float32)
    if len(user) and (user == user[0]).all():
        own = state.users[name][user[0]] if user[0] >= 0 else np.nan
        return np.full(len(user), own, dtype=np.float32)
    known = np.where(user >= 0, user, 0)
    return np.where(user >= 0, state.users[name][known], np.nan).astype(np.float32)


def pair_features(state: State, user: NDArray[np.int32], track: NDArray[np.int32]) -> Named:
    """What the listener did with this very track: rows (m,) each."""
    position = state.user_tracks.find(user, track)
    return _with_item(state, user, state.user_tracks.columns, position, "listener_track_")


def artist_features(state: State, user: NDArray[np.int32], track: NDArray[np.int32]) -> Named:
    """What the listener did with this track's artist."""
    artist = state.catalogue.artist[track] if state.catalogue.size else track
    position = state.user_artists.find(user, artist)
    return _with_item(state, user, state.user_artists.columns, position, "listener_artist_")


@cache
def _absent(names: tuple[str, ...]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """(rows that are ages, the values of a pair that is not known): ages nan, sums 0, a skip rate nan."""
    ages = [row for row, name in enumerate(names) if name.endswith("_age")]
    values = np.zeros((len(names) + 1, 1), dtype=np.float32)
    values[[*ages, -1]] = np.nan
    return np.array(ages, dtype=np.intp), values


def _with_item(
    state: State,
    user: NDArray[np.int32],
    columns: Columns,
    position: NDArray[np.int64],
    prefix: str,
) -> Named:
    """All columns at the positions of pairs (-1 none), sums as log(1 + x); the skip rate and the share of
    the listener's streams. Few pairs are known: the logarithms are of those alone."""
    ages, absent = _absent(columns.names)
    known = (position >= 0).nonzero()[0]
    raw = columns.values[:, position[known]]
    plays, skips, streams = (
        raw[columns.names.index(name)] for name in ("plays", "skips", "streams_h22")
    )
    values = np.empty((len(absent) + 1, len(position)), dtype=np.float32)
    values[:-1] = absent
    logged = np.log1p(raw)
    logged[ages] = raw[ages]
    values[:-2, known] = logged
    values[-2, known] = _ratio(skips, plays)
    total = _user_at(state, user, "streams_h22")
    values[-1] = np.where(total > 0, np.float32(0), np.float32(np.nan))
    values[-1, known] = _ratio(streams, total[known])
    names = (prefix + name for name in (*columns.names, "skip_rate", "share"))
    return dict(zip(names, values, strict=True))


def listener_features(state: State, user: NDArray[np.int32]) -> Named:
    """How the listener listens: activity, skipping, repeating, novelty; nan for unknown users."""
    known = np.where(user >= 0, user, 0)
    values = np.full((len(state.users.names), len(user)), np.nan, dtype=np.float32)
    if state.users.rows:
        values = np.where(user >= 0, state.users.values[:, known], np.float32(np.nan))
    raw = dict(zip(state.users.names, values, strict=True))
    return {
        "listener_streams": np.log1p(raw["streams"]),
        "listener_active_days": np.log1p(raw["active_days"]),
        "listener_last_played_age": raw["last_played_age"],
        "listener_streams_per_session": _ratio(raw["streams"], raw["sessions"]),
        "listener_activity_trend": _ratio(raw["streams_h3"], raw["streams_h22"]),
        "listener_skip_rate": _ratio(raw["skips_h22"], raw["plays_h22"]),
        "listener_repeat_rate": _ratio(raw["repeats_h22"], raw["plays_h22"]),
        "listener_new_track_rate": _ratio(raw["new_tracks"], raw["plays"]),
    }
