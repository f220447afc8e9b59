"""The tracks known at a day, as arrays in one order.

Belongs here: identities and metadata of tracks. Does not belong here: how often they are played.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

UNKNOWN_DAY = np.int32(-(2**31))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """n tracks, sorted by (first day known, track_id), so that a later catalogue only appends.

    `artist`, `album`, `recording` int32 (n), -1 where unknown; `recording` groups duplicate recordings
    (same artist and normalised title). `released_day` int32 (n) days since 1970-01-01 or
    UNKNOWN_DAY; `first_known_day` int32 (n). `duration_ms` float32 (n), nan where unknown;
    `explicit` int8 (n), -1 where unknown. `audio` float32 (n, 7), nan where unknown, in the order
    of ml.tables.AUDIO_FEATURES. `genres` float32 CSR (n, genres and tags).
    """

    track_ids: pa.StringArray
    titles: pa.StringArray
    artist_names: pa.StringArray
    artist_ids: pa.StringArray
    artist: NDArray[np.int32]
    album: NDArray[np.int32]
    recording: NDArray[np.int32]
    released_day: NDArray[np.int32]
    first_known_day: NDArray[np.int32]
    duration_ms: NDArray[np.float32]
    explicit: NDArray[np.int8]
    audio: NDArray[np.float32]
    genres: sparse.csr_matrix

    @property
    def size(self) -> int:
        """Number of tracks."""
        return len(self.track_ids)

    def index_of(self, track_ids: pa.StringArray | Sequence[str]) -> NDArray[np.int32]:
        """Index of each id, -1 where the track is not known."""
        return positions(track_ids, self.track_ids)


def positions(
    values: pa.StringArray | pa.ChunkedArray | Sequence[str | None], known: pa.StringArray
) -> NDArray[np.int32]:
    """Position of each value in `known`, -1 where it is absent or null."""
    array = (
        values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, pa.string())
    )
    index = pc.fill_null(pc.index_in(array, value_set=known, skip_nulls=True), -1)
    return np.asarray(index, dtype=np.int32)


def place_rows(
    rows: NDArray[np.float32], position: NDArray[np.int32], size: int
) -> NDArray[np.float32]:
    """Rows (m, d) moved to `position` (m) of a zero matrix (size, d); rows at -1 are dropped.

    Where nothing moves these are the rows themselves: workers share the pages of a bundle's files.
    """
    if size == len(position) and _stays(position):
        # A plain array: np.memmap costs 10 us at every look.
        return np.asarray(rows)
    placed = np.zeros((size, *rows.shape[1:]), dtype=rows.dtype)
    kept = position >= 0
    placed[position[kept]] = rows[kept]
    return placed


def _stays(position: NDArray[np.int32]) -> bool:
    return bool((position == np.arange(len(position))).all())


def appended(matrix: sparse.csr_matrix, rows: int, columns: int) -> sparse.csr_matrix:
    """The same entries in a matrix of at least as many rows and columns, the arrays shared."""
    more = np.full(rows - matrix.shape[0], matrix.indptr[-1], dtype=matrix.indptr.dtype)
    indptr = np.concatenate([matrix.indptr, more])
    return sparse.csr_matrix((matrix.data, matrix.indices, indptr), shape=(rows, columns))


def place_square(
    matrix: sparse.csr_matrix, position: NDArray[np.int32], size: int
) -> sparse.csr_matrix:
    """A square item-item matrix (m, m) moved to the order of a larger catalogue (size, size).

    Where only tracks were added behind the others it shares the arrays of `matrix`.
    """
    if _stays(position):
        return appended(matrix, size, size)
    coordinates = matrix.tocoo()
    row, column = position[coordinates.row], position[coordinates.col]
    kept = (row >= 0) & (column >= 0)
    moved = sparse.csr_matrix(
        (coordinates.data[kept], (row[kept], column[kept])), shape=(size, size)
    )
    moved.sort_indices()
    return moved
