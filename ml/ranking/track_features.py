"""Features of a track by itself: how it does with everyone, how old it is.

Belongs here: popularity, trend, skips, age. Does not belong here: anything about a listener.
"""

import numpy as np
from numpy.typing import NDArray

from ml.ranking.listener_features import smoothed_rate
from ml.state.catalogue import UNKNOWN_DAY
from ml.state.log import day_number
from ml.state.state import State

Named = dict[str, NDArray[np.float32]]


def _trend(short: NDArray[np.float32], long: NDArray[np.float32]) -> NDArray[np.float32]:
    """Short-term over long-term streams, with one stream added to both against division by little."""
    return ((short + 1.0) / (long + 1.0)).astype(np.float32)


def _skip_rate(state: State) -> float:
    """Skips over plays of everything, with a half-life of 22 days."""
    plays, skips = (float(state.tracks[name].sum()) for name in ("plays_h22", "skips_h22"))
    return skips / plays if plays > 0 else 0.0


def track_features(state: State, track: NDArray[np.int32]) -> Named:
    """Popularity (log of decayed streams), trend, smoothed skip rate, age in days: rows (m,) each."""
    catalogue, tracks = state.catalogue, state.tracks
    at = dict(zip(tracks.names, tracks.values[:, track], strict=True))
    prior = state.once("skip rate", lambda: _skip_rate(state))
    day = day_number(state.valid_on)
    released = catalogue.released_day[track]
    age = np.where(released == UNKNOWN_DAY, np.nan, day - released.astype(np.float64))
    return {
        "track_streams_h1": np.log1p(at["streams_h1"]),
        "track_streams_h8": np.log1p(at["streams_h8"]),
        "track_streams_h63": np.log1p(at["streams_h63"]),
        "track_listeners": np.log1p(at["listeners"]),
        "track_streams_per_listener": _trend(at["streams"], at["listeners"]),
        "track_trend_day": _trend(at["streams_h1"], at["streams_h8"]),
        "track_trend_week": _trend(at["streams_h8"], at["streams_h63"]),
        "track_skip_rate": smoothed_rate(at["skips_h22"], at["plays_h22"], prior),
        "track_released_age": age.astype(np.float32),
        "track_known_age": (day - catalogue.first_known_day[track]).astype(np.float32),
        "track_duration": catalogue.duration_ms[track] / np.float32(60_000),
    }
