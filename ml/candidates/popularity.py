"""Tracks by what everybody plays, by artist, by novelty.

Belongs here: generators that rank the catalogue by decayed streams, whole or in part. Does not belong
here: anything learned.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ml.candidates.generator import Candidates
from ml.candidates.stateless import Stateless
from ml.candidates.top import no_candidates, top_of_long
from ml.state.log import day_number
from ml.state.requests import Requests
from ml.state.state import State
from ml.state.taste import genre_cosines, taste_profiles

_ARTISTS = 12
_TRACKS_PER_ARTIST = 10
_FRESH_DAYS = 14


def popularity_score(state: State) -> NDArray[np.float32]:
    """Decayed streams with a half-life of 3 days, plus a little of 63 days so that a quiet catalogue
    keeps an order; float32 (tracks)."""
    recent, long = state.tracks["streams_h3"], state.tracks["streams_h63"]
    score: NDArray[np.float32] = recent + np.float32(0.01) * long + np.float32(1e-6)
    return score


class Popularity(Stateless):
    """Decayed popularity: the same list for everyone, and the last to fall back to."""

    name: ClassVar[str] = "popularity"
    surfaces: ClassVar[tuple[str, ...]] = ("home", "now_playing")

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """The catalogue's most streamed tracks for every request."""
        score = popularity_score(state)
        zeros = np.zeros(len(score), dtype=np.int32)
        best = top_of_long(zeros, np.arange(len(score), dtype=np.int32), score, k)
        size, count = len(requests), len(best.track)
        return Candidates(
            np.repeat(np.arange(size, dtype=np.int32), count),
            np.tile(best.track, size),
            np.tile(best.score, size),
            np.tile(best.rank, size),
        )


def artist_tracks(state: State, most: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Most popular tracks of every artist: (indptr int64 (artists + 1), track int32), best first."""
    artist = state.catalogue.artist
    score = popularity_score(state)
    order = np.lexsort((np.arange(len(artist)), -score, artist))
    order = order[artist[order] >= 0]
    ordinal = np.arange(len(order)) - np.searchsorted(artist[order], artist[order])
    order = order[ordinal < most]
    counts = np.bincount(artist[order], minlength=len(state.catalogue.artist_ids))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return indptr, order.astype(np.int32)


def expand_artists(
    state: State,
    request: NDArray[np.int32],
    artist: NDArray[np.int32],
    weight: NDArray[np.float32],
    k: int,
) -> Candidates:
    """Popular tracks of each request's artists, scored weight * relative popularity in the artist."""
    if not len(state.catalogue.artist_ids) or not len(request):
        return no_candidates()
    indptr, tracks = artist_tracks(state, _TRACKS_PER_ARTIST)
    count = indptr[artist + 1] - indptr[artist]
    row = np.repeat(np.arange(len(artist)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    track = tracks[indptr[artist][row] + place]
    score = weight[row] / np.sqrt(1.0 + place).astype(np.float32)
    # One artist may come twice (two session tracks of it): the stronger mention counts.
    order = np.lexsort((-score, track, request[row]))
    owner, track, score = request[row][order], track[order], score[order]
    first = np.ones(len(owner), dtype=np.bool_)
    first[1:] = (owner[1:] != owner[:-1]) | (track[1:] != track[:-1])
    return top_of_long(owner[first], track[first], score[first], k)


class RepeatArtist(Stateless):
    """Popular tracks of the listener's strongest artists, heard or not."""

    name: ClassVar[str] = "repeat_artist"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Tracks of the listener's dozen strongest artists of the last weeks."""
        owner, position = state.user_artists.take(requests.user)
        weight = state.user_artists.columns["streams_h22"][position]
        artist = state.user_artists.item[position]
        best = top_of_long(owner.astype(np.int32), artist, weight, _ARTISTS)
        return expand_artists(state, best.request, best.track, np.log1p(best.score), k)


class SameArtist(Stateless):
    """More of the artists in the running session, the latest first."""

    name: ClassVar[str] = "same_artist"
    surfaces: ClassVar[tuple[str, ...]] = ("now_playing",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Tracks of the last three tracks' artists."""
        request, track, back = requests.recent(3)
        artist = state.catalogue.artist[track]
        known = artist >= 0
        weight = np.power(np.float32(0.6), back[known].astype(np.float32))
        return expand_artists(state, request[known].astype(np.int32), artist[known], weight, k)


class Fresh(Stateless):
    """Tracks first known in the last two weeks, by the listener's bond with the artist and genres."""

    name: ClassVar[str] = "fresh"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """New tracks of artists and genres the listener plays."""
        catalogue = state.catalogue
        age = day_number(state.valid_on) - catalogue.first_known_day
        fresh = np.flatnonzero(age <= _FRESH_DAYS).astype(np.int32)
        # In the first weeks of a log everything is new: then nothing is news.
        if not len(fresh) or len(fresh) > catalogue.size // 2 or not len(requests):
            return no_candidates()
        request = np.repeat(np.arange(len(requests), dtype=np.int32), len(fresh))
        track = np.tile(fresh, len(requests))
        profiles = taste_profiles(requests, state, None)
        genre = genre_cosines(profiles.genres, state, request, track)
        pair = state.user_artists.find(requests.user[request], catalogue.artist[track])
        bond = state.user_artists.value("streams_h22", pair)
        score = (np.log1p(bond) + genre).astype(np.float32)
        return top_of_long(request, track, score, k)
