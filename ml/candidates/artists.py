"""More of the artists a listener or a session plays.

Belongs here: an artist's tracks by popularity. Does not belong here: which artists are alike.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Candidates
from ml.candidates.popularity import popularity_score
from ml.candidates.stateless import Stateless
from ml.candidates.top import best_of_product, candidates_of, no_candidates
from ml.state.requests import Requests
from ml.state.rows import Rows, read_only
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


def _by_artist(state: State) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    return state.once("artist_tracks", lambda: artist_tracks(state, _TRACKS_PER_ARTIST))


def _shares(state: State) -> sparse.csr_matrix:
    """1 / root of the place of each artist's tracks, float32 CSR (artists, tracks)."""

    def made() -> sparse.csr_matrix:
        indptr, tracks = _by_artist(state)
        place = np.arange(len(tracks)) - np.repeat(indptr[:-1], np.diff(indptr))
        share = (1.0 / np.sqrt(1.0 + place)).astype(np.float32)
        shape = (len(state.catalogue.artist_ids), state.catalogue.size)
        return sparse.csr_matrix((share, tracks, indptr), shape=shape)

    return state.once("artist shares", made)


class RepeatArtist(Stateless):
    """Popular tracks of the listener's strongest artists, heard or not."""

    name: ClassVar[str] = "repeat_artist"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Tracks of the listener's dozen strongest artists of the last weeks."""
        if not len(state.catalogue.artist_ids):
            return no_candidates()
        own = state.user_artists.rows("streams_h22", requests.user).strongest(_ARTISTS)
        weighted = Rows(own.indptr, own.column, np.log1p(own.value), own.width)
        return best_of_product(weighted, _shares(state), k)


class SameArtist(Stateless):
    """More of the artists in the running session, the latest and its album first."""

    name: ClassVar[str] = "same_artist"
    surfaces: ClassVar[tuple[str, ...]] = ("now_playing",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """Tracks of the last three tracks' artists; those of the same album weigh half as much again."""
        from ml.kernels.recent import best_of_artists
        from ml.kernels.scratch import scratch

        catalogue = state.catalogue
        if not len(catalogue.artist_ids):
            return no_candidates()
        known = (catalogue.artist, catalogue.album, *_by_artist(state))
        with scratch(catalogue.size) as held:
            found = best_of_artists(
                read_only(requests.session_indptr),
                read_only(requests.session_track),
                tuple(read_only(array) for array in known),
                _LAST,
                np.float32(_DECAY),
                np.float32(_SAME_ALBUM),
                k,
                held,
            )
        return candidates_of(found)
