"""What a listener plays, in text and genre space.

Belongs here: taste profiles and cosines that candidates and features share. Does not belong here:
encoding text (ml.embeddings).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.state.requests import Requests
from ml.state.rows import Rows, matrix_of, read_only, rows_found
from ml.state.state import State

# Rows per block of gathered vectors: 2,048 x 128 floats are 1 MB a side and stay in the cache.
_BLOCK = 2_048


@dataclass(frozen=True, slots=True)
class TasteProfiles:
    """Per request: `text` float32 (n, d) and `genres` float32 (n, genres), L2-normalised, zero
    where nothing is known; `text` is None without vectors."""

    text: NDArray[np.float32] | None
    genres: NDArray[np.float32]


def normalise(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length 1; zero rows stay zero."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (rows / np.where(length > 0, length, 1.0)).astype(np.float32)
    return scaled


def row_dots(
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    left_row: NDArray[np.int32],
    right_row: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Dot product of left[left_row[i]] and right[right_row[i]] for every i, in blocks."""
    out = np.empty(len(left_row), dtype=np.float32)
    if len(left_row) and (left_row == left_row[0]).all():
        # One request: the same sums without copies of its row.
        near = right[right_row]
        return np.einsum("ij,ij->i", np.broadcast_to(left[left_row[0]], near.shape), near, out=out)
    for start in range(0, len(left_row), _BLOCK):
        block = slice(start, start + _BLOCK)
        np.einsum("ij,ij->i", left[left_row[block]], right[right_row[block]], out=out[block])
    return out


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


def _genre_profiles(requests: Requests, state: State) -> NDArray[np.float32]:
    from ml.kernels.genres import profiles

    genres = state.catalogue.genres
    taste = taste_rows(requests, state, "streams_h22").arrays()
    found: NDArray[np.float32] = profiles(taste, matrix_of(genres), genres.shape[1])
    return found


def taste_profiles(
    requests: Requests, state: State, vectors: NDArray[np.float32] | None
) -> TasteProfiles:
    """Each listener's tracks, weighted by tastes_of 22 days, in both spaces."""
    genres = requests.once(state, "genres", lambda: _genre_profiles(requests, state))
    profile = taste_rows(requests, state, "streams_h22")
    text = None if vectors is None else normalise(profile.dense(vectors))
    return TasteProfiles(text, genres)


def genre_cosines(
    profile: NDArray[np.float32],
    state: State,
    request: NDArray[np.int32],
    track: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Cosine of genre profiles (n, genres), already of length 1, with the tracks' genres."""
    genres = state.catalogue.genres
    start = genres.indptr[track]
    count = (genres.indptr[track + 1] - start).astype(np.int64)
    row = np.repeat(np.arange(len(track), dtype=np.int64), count)
    offset = np.arange(len(row), dtype=np.int64) - np.repeat(np.cumsum(count) - count, count)
    genre = genres.indices[np.repeat(start, count) + offset]
    total = np.bincount(row, weights=profile[request[row], genre], minlength=len(track))
    length = np.sqrt(np.maximum(count, 1))
    cosine: NDArray[np.float32] = (total / length).astype(np.float32)
    return cosine
