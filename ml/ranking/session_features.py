"""Features of the running session: does the candidate continue it.

Belongs here: relations between a candidate and the session's tracks. Does not belong here:
transition statistics, which the generators bring as scores.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.ranking.family import Family
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


@dataclass(frozen=True, slots=True)
class _Groups:
    """The groups of a track that a session may come back to: itself, its artist, its album; -1 is none. `width`
    is above all of them."""

    track: NDArray[np.int32]
    artist: NDArray[np.int32]
    album: NDArray[np.int32]
    width: int


def _groups(state: State) -> _Groups:
    catalogue = state.catalogue
    track = np.arange(catalogue.size, dtype=np.int32)
    most = (int(of.max(initial=0)) for of in (track, catalogue.artist, catalogue.album))
    return _Groups(track, catalogue.artist, catalogue.album, max(most) + 1)


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

    groups = state.once("groups of tracks", lambda: _groups(state))
    ends, session = requests.session_indptr, requests.session_track

    def fill(out: NDArray[np.float32]) -> None:
        with scratch(groups.width) as held:
            session_columns(
                ends,
                session,
                requests.at,
                groups.track,
                groups.artist,
                groups.album,
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
