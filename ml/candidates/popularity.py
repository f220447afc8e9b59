"""Tracks by how often they are played: by everybody, and by the listener.

Belongs here: the two simplest baselines. Does not belong here: anything learned, decayed memory
(repeat_memory), popularity among some (country_popularity, genre_popularity).
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ml.candidates.generator import Candidates
from ml.candidates.stateless import Stateless
from ml.candidates.top import top_of_long
from ml.state.requests import Requests
from ml.state.state import State


def popularity_sum(recent: NDArray[np.float32], long: NDArray[np.float32]) -> NDArray[np.float32]:
    """Streams with a half-life of 3 days (`recent`), plus a little of those of 63 days (`long`) so that
    a quiet catalogue keeps an order; float32, the shape of both."""
    total: NDArray[np.float32] = recent + np.float32(0.01) * long
    return total


def popularity_score(state: State) -> NDArray[np.float32]:
    """`popularity_sum` of everybody's streams, above 0 for every track; float32 (tracks)."""
    score = popularity_sum(state.tracks["streams_h3"], state.tracks["streams_h63"])
    score += np.float32(1e-6)
    return score


def _most_popular(state: State, k: int) -> Candidates:
    """One list of the most streamed tracks."""
    score = popularity_score(state)
    zeros = np.zeros(len(score), dtype=np.int32)
    return top_of_long(zeros, np.arange(len(score), dtype=np.int32), score, k)


class Popularity(Stateless):
    """Decayed popularity: the same list for everyone, and the last to fall back to."""

    name: ClassVar[str] = "popularity"
    surfaces: ClassVar[tuple[str, ...]] = ("home", "now_playing")

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """The catalogue's most streamed tracks for every request."""
        best = state.once(f"popular {k}", lambda: _most_popular(state, k))
        size, count = len(requests), len(best.track)
        return Candidates(
            np.repeat(np.arange(size, dtype=np.int32), count),
            np.tile(best.track, size),
            np.tile(best.score, size),
            np.tile(best.rank, size),
        )


class PersonalPopularity(Stateless):
    """Own tracks by number of streams: the baseline that beats many published models."""

    name: ClassVar[str] = "personal_popularity"
    surfaces: ClassVar[tuple[str, ...]] = ("home", "now_playing")

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """The listener's most streamed tracks."""
        owner, position = state.user_tracks.take(requests.user)
        streams = state.user_tracks.columns["streams"][position]
        return top_of_long(owner.astype(np.int32), state.user_tracks.item[position], streams, k)
