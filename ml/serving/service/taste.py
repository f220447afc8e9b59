"""What the system believes about a listener.

Belongs here: the state of one listener in words and numbers. Does not belong here: answers.
"""

import math
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.candidates.power_law import EXPONENT
from ml.candidates.repeat_memory import RepeatMemory, memory
from ml.candidates.top import best_of
from ml.ranking.listener_features import listener_features
from ml.serving.events.today import TodayListens
from ml.serving.recommender import Recommender
from ml.serving.service.loading import Served
from ml.state.requests import Asked, Requests, one_request
from ml.state.state import State

_TRACKS = 20
_ARTISTS = 10


def _words(values: pa.StringArray, index: int) -> str | None:
    word: str | None = values[index].as_py() if index >= 0 else None
    return word


def described(state: State, track: int) -> dict[str, str | None]:
    """Id, title and artist of a track."""
    catalogue = state.catalogue
    return {
        "track_id": catalogue.track_ids[track].as_py(),
        "title": _words(catalogue.titles, track),
        "artist": _words(catalogue.artist_names, track),
    }


def habits(state: State, user: NDArray[np.int32]) -> dict[str, float | None]:
    """The ranker's features of the listener as plain numbers, null where nothing is known."""
    found = listener_features(state, user, np.zeros(1, dtype=np.int32)).columns(1)
    numbers = {name.removeprefix("listener_"): float(value[0]) for name, value in found.items()}
    for name in ("streams", "active_days"):
        numbers[name] = math.expm1(numbers[name])
    return {name: None if math.isnan(value) else round(value, 4) for name, value in numbers.items()}


def exponent_of(recommender: Recommender) -> float:
    """The exponent of forgetting that the model chose (ml.candidates.repeat_memory)."""
    own = recommender.surfaces["home"].sources.generators.get(RepeatMemory.name)
    return own.exponent if isinstance(own, RepeatMemory) else EXPONENT


def strongest_tracks(state: State, requests: Requests, exponent: float) -> list[dict[str, object]]:
    """The twenty strongest memories of a batch of one, strongest first."""
    best = best_of(memory(requests, state, exponent), _TRACKS)
    streams = state.user_tracks.value(
        "streams", state.user_tracks.find(np.repeat(requests.user, len(best.track)), best.track)
    )
    return [
        {
            **described(state, int(track)),
            "streams": float(count),
            "strength": float(strength),
        }
        for track, strength, count in zip(best.track, best.score, streams, strict=True)
    ]


def strongest_artists(state: State, user: NDArray[np.int32]) -> list[dict[str, object]]:
    """The ten artists with most recent streams, most first."""
    pairs = state.user_artists
    _, position = pairs.take(user)
    recent, ever = pairs.columns["streams_h22"][position], pairs.columns["streams"][position]
    artist = pairs.item[position]
    best = np.lexsort((artist, -recent))[:_ARTISTS]
    return [
        {
            "artist_id": state.catalogue.artist_ids[int(artist[row])].as_py(),
            "streams": float(ever[row]),
            "recent_streams": float(recent[row]),
        }
        for row in best
    ]


def believed(served: Served, user_id: str, at: datetime, today: TodayListens) -> dict[str, object]:
    """Fields of schemas.TasteAnswer by the state of the day of `at`."""
    state = served.on(at.date()).state
    block = one_request(Asked("home", "taste", user_id, at), state.user_index, state.track_index)
    listens = zip(today.track_ids, today.played_at, today.skipped, strict=True)
    return {
        "user_id": user_id,
        "known": bool(block.user[0] >= 0),
        "model_version": served.version,
        "state_day": served.state_day,
        "habits": habits(state, block.user),
        "tracks": strongest_tracks(state, block, exponent_of(served.recommender)),
        "artists": strongest_artists(state, block.user),
        "today": [
            {"track_id": track, "played_at": played, "skipped": skipped}
            for track, played, skipped in listens
        ],
    }
