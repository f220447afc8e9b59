"""What a listener's friends did with a track and its artist, and how alike they are.

Belongs here: columns from friendships. Does not belong here: who the friends are (ml.candidates.circle).
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ml.candidates.circle import circle_tastes, friend_tastes, friends_of
from ml.ranking.family import Family, Out
from ml.state.columns import PairTable
from ml.state.requests import Requests
from ml.state.rows import Rows, matrix_of
from ml.state.state import State
from ml.state.taste import genre_cosines, taste_rows

if TYPE_CHECKING:
    from ml.kernels.kinds import Sparse

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


def friend_features(
    requests: Requests, state: State, request: NDArray[np.int32], track: NDArray[np.int32]
) -> Family:
    """Rows (m,) each, those of a request together: how many friends streamed the track and its artist, as a share
    of the friends who streamed anything; what friends' and the circle's tastes hold of the track; the cosine of
    its genres with those of the circle; how many friends there are and how alike the listener's taste is to the
    circle's.
    """

    def fill(out: Out) -> None:
        friends = friends_of(requests, state) if state.has_friends else None
        if friends is None or not len(friends.column):
            # None of the listeners follows anybody.
            out[:-1], out[-1] = np.float32(0), np.float32(np.nan)
        else:
            _fill(requests, state, friends, request, track, out)

    return Family(_NAMES, fill)


def _streams(pairs: PairTable) -> "Sparse":
    return Rows(pairs.indptr, pairs.item, pairs.columns["streams"], pairs.items).arrays()


def _fill(
    requests: Requests,
    state: State,
    friends: Rows,
    request: NDArray[np.int32],
    track: NDArray[np.int32],
    out: Out,
) -> None:
    from ml.kernels.friendships import friend_columns
    from ml.kernels.genres import profiles
    from ml.kernels.scratch import scratch

    pairs, artists, genres = state.user_tracks, state.user_artists, state.catalogue.genres
    circle = circle_tastes(requests, state).arrays()
    with scratch(max(pairs.items, artists.items, state.catalogue.size)) as held:
        friend_columns(
            friends.arrays(),
            _streams(pairs),
            _streams(artists),
            matrix_of(friend_tastes(state)),
            circle,
            taste_rows(requests, state, "streams_h180").arrays(),
            state.users["streams"],
            state.catalogue.artist,
            request,
            track,
            held.total,
            out,
        )
    of_circle = profiles(circle, matrix_of(genres), genres.shape[1])
    out[_NAMES.index("friends_genre_cosine")] = genre_cosines(of_circle, state, request, track)
