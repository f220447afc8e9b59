"""Features of the running session: does the candidate continue it.

Belongs here: relations between a candidate and the session's tracks. Does not belong here:
transition statistics, which the generators bring as scores.
"""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from ml.candidates.profiles import session_profiles
from ml.ranking.content_features import candidate_dots
from ml.state.requests import Requests
from ml.state.state import State
from ml.state.taste import normalise
from ml.tables import AUDIO_FEATURES

Named = dict[str, NDArray[np.float32]]

_RECENT = 5
_STEP_DECAY = 0.7
# Session tracks that are compared with every candidate; more are looked up in order.
_COMPARED = 32
_AUDIO = ("tempo", "energy", "valence", "danceability")


def _last_track(requests: Requests) -> NDArray[np.int32]:
    """The latest session track of each request, -1 where the session is empty."""
    if not len(requests.session_track):
        return np.full(len(requests), -1, dtype=np.int32)
    last = np.maximum(requests.session_indptr[1:] - 1, 0)
    return np.where(requests.session_length() > 0, requests.session_track[last], -1).astype(
        np.int32
    )


def _recent_mean(requests: Requests, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of the last five tracks' rows, each step back weighted by 0.7."""
    request, _, back = requests.recent(_RECENT)
    weight = np.power(np.float32(_STEP_DECAY), back.astype(np.float32))
    total = np.bincount(request, weights=weight, minlength=len(requests))
    mix = session_profiles(requests, len(rows), last=_RECENT, decay=_STEP_DECAY)
    return mix.dense(rows) / np.maximum(total, 1e-12).astype(np.float32)[:, None]


def steps_since(
    requests: Requests,
    group: NDArray[np.int32],
    request: NDArray[np.int32],
    wanted: NDArray[np.int32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(steps back to, number of) the session tracks of the candidate's group: nan and 0 without any.

    `group` int32 (tracks) is the track itself, its artist or its album; -1 belongs to no group.
    """
    if len(requests) == 1 and len(requests.session_track) <= _COMPARED:
        return _steps_of_one(group[requests.session_track[::-1]], wanted)
    owner, track, back = requests.recent(1_000_000)
    width = np.int64(max(len(group), int(group.max(initial=0)) + 1))
    key = owner * width + group[track]
    key, back = key[group[track] >= 0], back[group[track] >= 0]
    order = np.lexsort((back, key))
    key, back = key[order], back[order]
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))[: len(key)]
    unique, count = key[first], np.diff(first, append=len(key))
    sought = request.astype(np.int64) * width + wanted
    if not len(unique):
        return np.full(len(sought), np.nan, np.float32), np.zeros(len(sought), np.float32)
    at = np.minimum(np.searchsorted(unique, sought), len(unique) - 1)
    hit = (unique[at] == sought) & (wanted >= 0)
    steps = np.where(hit, back[first][at], np.nan).astype(np.float32)
    return steps, np.where(hit, count[at], 0).astype(np.float32)


def _steps_of_one(
    heard: NDArray[np.int32], wanted: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The same of one request, `heard` the groups of its session, the latest first: all pairs compared."""
    back = (heard >= 0).nonzero()[0]
    if not len(back):
        return np.full(len(wanted), np.nan, np.float32), np.zeros(len(wanted), np.float32)
    same = heard[back][:, None] == wanted
    count = np.add.reduce(same, axis=0, dtype=np.float32)
    steps = back.astype(np.float32)[same.argmax(axis=0)]
    steps[count == 0] = np.nan
    return steps, count


def _audio_features(
    requests: Requests, state: State, request: NDArray[np.int32], track: NDArray[np.int32]
) -> Named:
    last = _last_track(requests)
    audio = state.catalogue.audio
    before = np.where(last[:, None] >= 0, audio[np.maximum(last, 0)], np.nan)
    steps = np.abs(audio[track] - (before[request] if len(before) > 1 else before))
    return {
        f"session_{name}_step": steps[:, AUDIO_FEATURES.index(name)].astype(np.float32)
        for name in _AUDIO
    }


def _clock_features(requests: Requests, request: NDArray[np.int32]) -> Named:
    hour = ((requests.at % 86_400) / 3_600.0).astype(np.float32)[request]
    epoch_weekday = datetime(1970, 1, 1, tzinfo=UTC).weekday()
    weekday = (requests.at // 86_400 + epoch_weekday) % 7
    return {
        "session_hour": hour,
        "session_is_weekend": (weekday >= 5).astype(np.float32)[request],
    }


def session_features(
    requests: Requests,
    state: State,
    vectors: NDArray[np.float32] | None,
    request: NDArray[np.int32],
    track: NDArray[np.int32],
) -> Named:
    """Closeness to the session in identity, artist, album, text and sound: rows (m,) each."""
    catalogue = state.catalogue
    identity = state.once("identity", lambda: np.arange(catalogue.size, dtype=np.int32))
    steps, count = steps_since(requests, identity, request, track)
    artist_steps, artist_count = steps_since(
        requests, catalogue.artist, request, catalogue.artist[track]
    )
    album_steps, _ = steps_since(requests, catalogue.album, request, catalogue.album[track])
    length = requests.session_length().astype(np.float32)[request]
    columns: Named = {
        "session_length": length,
        "session_steps_since_track": steps,
        "session_track_count": count,
        "session_steps_since_artist": artist_steps,
        "session_artist_share": (artist_count / np.maximum(length, 1)).astype(np.float32),
        "session_steps_since_album": album_steps,
    }
    columns |= _clock_features(requests, request) | _audio_features(requests, state, request, track)
    if vectors is not None:
        latest = _last_track(requests)
        own = vectors[np.maximum(latest, 0)]
        cosine = candidate_dots(own, requests, vectors, request, track)
        columns["session_last_cosine"] = np.where(latest[request] >= 0, cosine, np.nan).astype(
            np.float32
        )
        mean = normalise(_recent_mean(requests, vectors))
        columns["session_mean_cosine"] = candidate_dots(mean, requests, vectors, request, track)
    return columns
