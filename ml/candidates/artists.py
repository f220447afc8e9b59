"""More of the artists a listener or a session plays.

Belongs here: an artist's tracks by popularity. Does not belong here: which artists are alike.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ml.candidates.generator import Candidates
from ml.candidates.popularity import popularity_score
from ml.candidates.stateless import Stateless
from ml.candidates.top import no_candidates, top_of_long
from ml.state.requests import Requests
from ml.state.state import State

_ARTISTS = 12
_TRACKS_PER_ARTIST = 10
_LAST = 3
_DECAY = 0.6
# A track of the album that plays counts this much more than the artist's other tracks.
_SAME_ALBUM = 1.5


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
    state: State, artist: NDArray[np.int32], weight: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Popular tracks of each mentioned artist: (mention, track, score), where the score is the
    mention's weight over the root of the track's place in the artist."""
    if not len(state.catalogue.artist_ids) or not len(artist):
        none = np.zeros(0, dtype=np.int64)
        return none, none.astype(np.int32), none.astype(np.float32)
    indptr, tracks = state.once("artist_tracks", lambda: artist_tracks(state, _TRACKS_PER_ARTIST))
    count = indptr[artist + 1] - indptr[artist]
    mention = np.repeat(np.arange(len(artist), dtype=np.int64), count)
    place = np.arange(len(mention)) - np.repeat(np.cumsum(count) - count, count)
    track = tracks[indptr[artist][mention] + place]
    return mention, track, weight[mention] / np.sqrt(1.0 + place).astype(np.float32)


def best_mentions(
    request: NDArray[np.int32], track: NDArray[np.int32], score: NDArray[np.float32], k: int
) -> Candidates:
    """The best `k` a request where a track may come several times: its highest score counts."""
    order = np.lexsort((-score, track, request))
    request, track, score = request[order], track[order], score[order]
    first = np.ones(len(request), dtype=np.bool_)
    first[1:] = (request[1:] != request[:-1]) | (track[1:] != track[:-1])
    return top_of_long(request[first], track[first], score[first], k)


class RepeatArtist(Stateless):
    """Popular tracks of the listener's strongest artists, heard or not."""

    name: ClassVar[str] = "repeat_artist"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Tracks of the listener's dozen strongest artists of the last weeks."""
        owner, position = state.user_artists.take(requests.user)
        weight = state.user_artists.columns["streams_h22"][position]
        artist = state.user_artists.item[position]
        strongest = top_of_long(owner.astype(np.int32), artist, weight, _ARTISTS)
        mention, track, score = expand_artists(state, strongest.track, np.log1p(strongest.score))
        return top_of_long(strongest.request[mention], track, score, k)


class SameArtist(Stateless):
    """More of the artists in the running session, the latest and its album first."""

    name: ClassVar[str] = "same_artist"
    surfaces: ClassVar[tuple[str, ...]] = ("now_playing",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Tracks of the last three tracks' artists; those of the same album weigh half as much again."""
        catalogue = state.catalogue
        request, playing, back = requests.recent(_LAST)
        known = catalogue.artist[playing] >= 0
        asked, playing, back = request[known].astype(np.int32), playing[known], back[known]
        if not len(asked):
            return no_candidates()
        weight = np.power(np.float32(_DECAY), back.astype(np.float32))
        mention, track, score = expand_artists(state, catalogue.artist[playing], weight)
        album = catalogue.album[track]
        together = (album >= 0) & (album == catalogue.album[playing][mention])
        score = score * np.where(together, np.float32(_SAME_ALBUM), np.float32(1))
        return best_mentions(asked[mention], track, score, k)
