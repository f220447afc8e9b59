"""Features of a track by itself: how it does with everyone, how old it is.

Belongs here: popularity, trend, skips, age. Does not belong here: anything about a listener.
"""

import numpy as np
from numpy.typing import NDArray

from ml.ranking.family import Family
from ml.state.catalogue import UNKNOWN_DAY
from ml.state.log import day_number
from ml.state.state import State


def _trend(short: NDArray[np.float32], long: NDArray[np.float32]) -> NDArray[np.float32]:
    """Short-term over long-term streams, with one stream added to both against division by little."""
    return ((short + 1.0) / (long + 1.0)).astype(np.float32)


def _skip_rate(state: State) -> float:
    """Skips over plays of everything, with a half-life of 22 days."""
    plays, skips = (float(state.tracks[name].sum()) for name in ("plays_h22", "skips_h22"))
    return skips / plays if plays > 0 else 0.0


# Weight of the prior in smoothed rates: a rate needs about this many plays to speak for itself.
_PRIOR_PLAYS = 5.0

_NAMES = (
    "track_streams_h1",
    "track_streams_h8",
    "track_streams_h63",
    "track_listeners",
    "track_streams_per_listener",
    "track_trend_day",
    "track_trend_week",
    "track_skip_rate",
    "track_released_age",
    "track_known_age",
    "track_duration",
)


def track_features(state: State, track: NDArray[np.int32]) -> Family:
    """Popularity (log of decayed streams), trend, smoothed skip rate, age in days: rows (m,) each.

    Made once a day for all tracks, a track's values side by side: a request looks at hundreds of tracks all
    over the catalogue, and each look elsewhere in memory is what takes the time.
    """
    from ml.kernels.columns import turned

    table = state.once("track features", lambda: _table(state))
    return Family(_NAMES, lambda out: turned(table, track, out))


def smoothed_rate(
    part: NDArray[np.float32], whole: NDArray[np.float32], prior: float
) -> NDArray[np.float32]:
    """(part + a * prior) / (whole + a) with a = 5 plays (Bayesian average)."""
    return ((part + _PRIOR_PLAYS * prior) / (whole + _PRIOR_PLAYS)).astype(np.float32)


def _table(state: State) -> NDArray[np.float32]:
    """The features of every track in the order of the names, float32 (tracks, 11)."""
    catalogue, at = state.catalogue, state.tracks
    day, released = day_number(state.valid_on), state.catalogue.released_day
    age = np.where(released == UNKNOWN_DAY, np.nan, day - released.astype(np.float64))
    columns = (
        np.log1p(at["streams_h1"]),
        np.log1p(at["streams_h8"]),
        np.log1p(at["streams_h63"]),
        np.log1p(at["listeners"]),
        _trend(at["streams"], at["listeners"]),
        _trend(at["streams_h1"], at["streams_h8"]),
        _trend(at["streams_h8"], at["streams_h63"]),
        smoothed_rate(at["skips_h22"], at["plays_h22"], _skip_rate(state)),
        age.astype(np.float32),
        (day - catalogue.first_known_day).astype(np.float32),
        catalogue.duration_ms / np.float32(60_000),
    )
    return np.stack(columns, axis=1)
