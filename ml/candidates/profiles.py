"""Listeners and sessions as sparse rows over tracks.

Belongs here: turning a batch of requests into weighted rows. Does not belong here: similarity.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Arrays
from ml.state.catalogue import place_square
from ml.state.requests import Requests
from ml.state.rows import Rows, read_only, rows_found


def session_profiles(requests: Requests, tracks: int, *, last: int, decay: float) -> Rows:
    """Weight decay^steps-back of each request's last session tracks, rows over tracks."""

    def weighted() -> Rows:
        from ml.kernels.recent import recent_tracks

        indptr, track = read_only(requests.session_indptr), read_only(requests.session_track)
        return rows_found(recent_tracks(indptr, track, last, np.float32(decay)), tracks)

    return requests.once(None, f"session {tracks} {last} {decay}", weighted)


def pack(matrix: sparse.csr_matrix) -> dict[str, NDArray[np.generic]]:
    """A sparse matrix as arrays for a bundle."""
    matrix.sort_indices()
    return {
        "data": matrix.data.astype(np.float32, copy=False),
        "indices": matrix.indices.astype(np.int32, copy=False),
        "indptr": matrix.indptr.astype(np.int64),
    }


def unpack(arrays: Arrays, columns: int) -> sparse.csr_matrix:
    """The matrix packed by `pack`, over the fitted catalogue of `columns` tracks."""
    rows = len(arrays["indptr"]) - 1
    return sparse.csr_matrix(
        (arrays["data"], arrays["indices"], arrays["indptr"]), shape=(rows, columns)
    )


def unpack_square(
    arrays: Mapping[str, NDArray[np.generic]], position: NDArray[np.int32], tracks: int
) -> sparse.csr_matrix:
    """An item-item matrix packed by `pack`, moved to a catalogue of `tracks` tracks."""
    return place_square(unpack(arrays, len(position)), position, tracks)
