"""What a listener plays, in text and genre space.

Belongs here: tastes and cosines that candidates and features share. Does not belong here:
encoding text (ml.embeddings).
"""

import numpy as np
from numpy.typing import NDArray

from ml.state.requests import Requests
from ml.state.rows import Rows, matrix_of, read_only, rows_found
from ml.state.state import State


def normalise(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length 1; zero rows stay zero."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (rows / np.where(length > 0, length, 1.0)).astype(np.float32)
    return scaled


# What was ever streamed counts a little beside what is streamed now: decayed sums alone forget everything
# of a listener who comes back after a year, and of data that is dated by the month.
_LASTING = np.float32(0.2)


def taste_rows(requests: Requests, state: State, column: str) -> Rows:
    """Taste of each request's listener over tracks, made once for all who ask."""
    return requests.once(state, f"taste {column}", lambda: _taste_rows(requests, state, column))


def _taste_rows(requests: Requests, state: State, column: str) -> Rows:
    return tastes_of(state, column, requests.user)


def tastes_of(state: State, column: str, user: NDArray[np.int32]) -> Rows:
    """log(1 + decayed streams) + 0.2 log(1 + streams ever) of each listener's tracks, rows over tracks."""
    from ml.kernels.listeners import tastes

    pairs = state.user_tracks
    found = tastes(
        read_only(pairs.indptr),
        read_only(pairs.item),
        read_only(pairs.columns[column]),
        read_only(pairs.columns["streams"]),
        _LASTING,
        read_only(user),
    )
    return rows_found(found, state.catalogue.size)


def genre_profiles(requests: Requests, state: State) -> NDArray[np.float32]:
    """Each listener's tracks, weighted by tastes_of 22 days, in genres, float32 (n, genres) of length 1, zero where
    nothing is known; made once for all who ask."""
    return requests.once(state, "genres", lambda: _genre_profiles(requests, state))


def _genre_profiles(requests: Requests, state: State) -> NDArray[np.float32]:
    from ml.kernels.genres import profiles

    genres = state.catalogue.genres
    taste = taste_rows(requests, state, "streams_h22").arrays()
    found: NDArray[np.float32] = profiles(taste, matrix_of(genres), genres.shape[1])
    return found


def genre_cosines(
    profile: NDArray[np.float32],
    state: State,
    request: NDArray[np.int32],
    track: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Cosine of genre profiles (n, genres), already of length 1, with the tracks' genres."""
    from ml.kernels.cosines import genre_cosines as fill

    out = np.empty(len(track), dtype=np.float32)
    indptr, genre = state.once("genre rows", lambda: _genre_rows(state))
    fill(profile, indptr, genre, request, track, out)
    return out


def _genre_rows(state: State) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    genres = state.catalogue.genres
    return genres.indptr.astype(np.int64), genres.indices.astype(np.int32, copy=False)
