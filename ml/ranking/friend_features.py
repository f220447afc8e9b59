"""What a listener's friends did with a track and its artist, and how alike they are.

Belongs here: columns from friendships. Does not belong here: who the friends are (ml.candidates.circle).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.circle import circle_tastes, friend_tastes, friends_of
from ml.ranking.family import Family, Named, Out
from ml.state.columns import PairTable
from ml.state.requests import Requests
from ml.state.rows import Rows, bounds_of
from ml.state.state import State
from ml.state.taste import genre_cosines, normalise, taste_rows

_NAMES = (
    "friends_count",
    "friends_share",
    "friends_artist_share",
    "friends_taste",
    "friends_circle",
    "friends_genre_cosine",
    "friends_number",
    "friends_active",
    "friends_alike",
)


def _streamed(pairs: PairTable) -> sparse.csr_matrix:
    """1 where a listener streamed an item, float32 (users, items)."""
    streamed = (pairs.columns["streams"] > 0).astype(np.float32)
    shape = (len(pairs.indptr) - 1, pairs.items)
    return sparse.csr_matrix((streamed, pairs.item, pairs.indptr), shape=shape)


def _evenly(rows: Rows) -> Rows:
    return Rows(rows.indptr, rows.column, np.ones_like(rows.value), rows.width)


def _row_sums(rows: Rows, value: NDArray[np.float32]) -> NDArray[np.float32]:
    owner = np.repeat(np.arange(len(rows)), np.diff(rows.indptr))
    return np.bincount(owner, weights=value, minlength=len(rows)).astype(np.float32)


def friend_features(
    requests: Requests, state: State, request: NDArray[np.int32], track: NDArray[np.int32]
) -> Family:
    """Rows (m,) each: how many friends streamed the track and its artist, as a share of the friends who
    streamed anything; what friends' and the circle's tastes hold of the track; the cosine of its genres with
    those of the circle; how many friends there are and how alike the listener's taste is to the circle's.
    """

    def fill(out: Out) -> None:
        friends = friends_of(requests, state) if state.has_friends else None
        if friends is None or not len(friends.column):
            # None of the listeners follows anybody.
            out[:-1], out[-1] = np.float32(0), np.float32(np.nan)
            return
        columns = _columns(requests, state, _evenly(friends), request, track)
        for name, column in columns.items():
            out[_NAMES.index(name)] = column

    return Family(_NAMES, fill)


def _columns(
    requests: Requests,
    state: State,
    friends: Rows,
    request: NDArray[np.int32],
    track: NDArray[np.int32],
) -> Named:
    circle = circle_tastes(requests, state)
    active = _row_sums(friends, (state.users["streams"][friends.column] > 0).astype(np.float32))
    genres = normalise(circle.times(state.catalogue.genres).filled())
    tracks = state.once("streamed tracks", lambda: _streamed(state.user_tracks))
    artists = state.once("streamed artists", lambda: _streamed(state.user_artists))
    artist, row = state.catalogue.artist[track], bounds_of(request, len(requests))
    by_artist = friends.times_at(artists, row, np.maximum(artist, 0))
    count = friends.times_at(tracks, row, track)
    among = np.maximum(active, np.float32(1.0))[request]
    return {
        "friends_count": np.log1p(count),
        "friends_share": count / among,
        "friends_artist_share": np.where(artist >= 0, by_artist, np.float32(0)) / among,
        "friends_taste": friends.times_at(friend_tastes(state), row, track),
        "friends_circle": circle.at(row, track),
        "friends_genre_cosine": genre_cosines(genres, state, request, track),
        "friends_number": np.log1p(np.diff(friends.indptr).astype(np.float32))[request],
        "friends_active": np.log1p(active)[request],
        "friends_alike": _alike(requests, state, circle)[request],
    }


def _alike(requests: Requests, state: State, circle: Rows) -> NDArray[np.float32]:
    """Cosine of each listener's own taste and the circle's, nan where either is empty, float32 (n)."""
    own = taste_rows(requests, state, "streams_h180")
    shared = _row_sums(own, own.value * circle.at(own.indptr, own.column))
    squares = _row_sums(own, np.square(own.value)) * _row_sums(circle, np.square(circle.value))
    return np.where(squares > 0, shared / np.sqrt(np.maximum(squares, 1e-12)), np.nan).astype(
        np.float32
    )
