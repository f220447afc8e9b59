"""How a candidate relates to each of the session's last tracks in what generators have learned.

Belongs here: look-ups in item-item matrices. Does not belong here: sums over the session, which the
generators bring as scores.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.state.requests import Requests

Named = dict[str, NDArray[np.float32]]

# Steps back that are looked at one by one.
_STEPS = 5


def _looked_up(
    matrix: sparse.csr_matrix,
    rows: NDArray[np.int64],
    request: NDArray[np.int32],
    track: NDArray[np.int32],
) -> NDArray[np.float32]:
    """matrix[rows[request], track], 0 where nothing is stored or the row is -1.

    Rows of each request are laid out in request order, so that the keys of both sides ascend: a
    search among a block's few rows instead of the whole matrix. `request` ascends, `track` within it.
    """
    asks = np.flatnonzero(rows >= 0)
    part = matrix[rows[asks]]
    owner = np.repeat(asks, np.diff(part.indptr))
    width = np.int64(matrix.shape[1])
    stored = owner * width + part.indices
    wanted = request * width + track
    if not len(stored):
        return np.zeros(len(wanted), dtype=np.float32)
    at = np.minimum(np.searchsorted(stored, wanted), len(stored) - 1)
    return np.where(stored[at] == wanted, part.data[at], 0.0).astype(np.float32)


def _row_at(requests: Requests, back: int) -> NDArray[np.int64]:
    """The track `back` steps before the latest of each session, -1 where the session is shorter."""
    length = requests.session_length()
    if not len(requests.session_track):
        return np.full(len(requests), -1, dtype=np.int64)
    at = np.maximum(requests.session_indptr[1:] - 1 - back, 0)
    return np.where(length > back, requests.session_track[at], -1).astype(np.int64)


def relation_features(
    requests: Requests,
    relations: Mapping[str, sparse.csr_matrix],
    request: NDArray[np.int32],
    track: NDArray[np.int32],
    prefix: str = "session",
) -> Named:
    """For each relation: its value with the latest track and the one before, the largest value and
    the number of values among the last five; rows (m,) each, sorted by (request, track).
    """
    columns: Named = {}
    for name, matrix in relations.items():
        values = [
            _looked_up(matrix, _row_at(requests, back), request, track) for back in range(_STEPS)
        ]
        columns[f"{prefix}_{name}_last"] = values[0]
        columns[f"{prefix}_{name}_before"] = values[1]
        columns[f"{prefix}_{name}_max"] = np.maximum.reduce(values)
        count = np.sum([value > 0 for value in values], axis=0)
        columns[f"{prefix}_{name}_count"] = count.astype(np.float32)
    return columns
