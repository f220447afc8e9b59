"""Features of the running session: does the candidate continue it.

Belongs here: relations between a candidate and the session's tracks. Does not belong here:
transition statistics, which the generators bring as scores.
"""

import numpy as np
from numpy.typing import NDArray

from ml.ranking.family import Family, Out
from ml.state.requests import Requests
from ml.state.state import State
from ml.tables import AUDIO_FEATURES

_NAMES = (
    "session_length",
    "session_steps_since_track",
    "session_track_count",
    "session_steps_since_artist",
    "session_artist_share",
    "session_steps_since_album",
    "session_hour",
    "session_is_weekend",
)
_AUDIO = ("tempo", "energy", "valence", "danceability")
_PLACES = np.array([AUDIO_FEATURES.index(name) for name in _AUDIO], dtype=np.int64)
_PLAIN = (*_NAMES, *(f"session_{name}_step" for name in _AUDIO))
_COSINES = ("session_last_cosine", "session_mean_cosine")


def _width(state: State) -> int:
    """Above every track, artist and album: what a session may come back to."""
    catalogue = state.catalogue
    groups = (int(of.max(initial=0)) + 1 for of in (catalogue.artist, catalogue.album))
    return max(catalogue.size, *groups)


def session_features(
    requests: Requests,
    state: State,
    vectors: NDArray[np.float32] | None,
    request: NDArray[np.int32],
    track: NDArray[np.int32],
) -> Family:
    """Closeness to the session in identity, artist, album, text and sound: rows (m,) each, those of a request
    together."""
    from ml.kernels.cosines import session_cosines
    from ml.kernels.scratch import scratch
    from ml.kernels.sessions import session_columns

    width = state.once("width of groups", lambda: _width(state))
    ends, session = requests.session_indptr, requests.session_track

    def fill(out: Out) -> None:
        with scratch(width) as held:
            session_columns(
                ends,
                session,
                requests.at,
                state.catalogue.artist,
                state.catalogue.album,
                state.catalogue.audio,
                _PLACES,
                request,
                track,
                held.mark,
                out[: len(_PLAIN)],
            )
        if vectors is not None:
            session_cosines(ends, session, vectors, request, track, out[len(_PLAIN) :])

    return Family(_PLAIN if vectors is None else _PLAIN + _COSINES, fill)
