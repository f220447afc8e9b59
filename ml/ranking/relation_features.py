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
# Keys searched at once: 2 million are 16 MB, and as much for what is found.
_KEYS = 2_000_000


def _looked_up(
    matrix: sparse.csr_matrix,
    rows: NDArray[np.int64],
    request: NDArray[np.int32],
    track: NDArray[np.int32],
) -> NDArray[np.float32]:
    """matrix[rows[step, request], track] for every step, 0 where nothing is stored or the row is -1;
    float32 (steps, m).

    Rows of each step and request are laid out in that order, so that the keys of both sides ascend: a
    search among a block's few rows instead of the whole matrix. `request` ascends, `track` within it.
    """
    steps, size = rows.shape
    flat = rows.ravel()
    asks = np.flatnonzero(flat >= 0)
    start = matrix.indptr[flat[asks]].astype(np.int64)
    count = matrix.indptr[flat[asks] + 1] - start
    place = np.arange(count.sum()) + np.repeat(start - (np.cumsum(count) - count), count)
    if not len(place):
        return np.zeros((steps, len(track)), dtype=np.float32)
    width = np.int64(matrix.shape[1])
    stored = np.repeat(asks, count) * width + matrix.indices[place]
    pair = request * width + track
    wanted = (np.arange(steps) * (size * width))[:, None] + pair[None, :]
    at = np.minimum(np.searchsorted(stored, wanted), len(stored) - 1)
    found: NDArray[np.float32] = np.where(stored[at] == wanted, matrix.data[place[at]], 0.0)
    return found.astype(np.float32)


def _rows_at(requests: Requests) -> NDArray[np.int64]:
    """The last five tracks of each session, the latest first, -1 where it is shorter; (steps, n)."""
    if not len(requests.session_track):
        return np.full((_STEPS, len(requests)), -1, dtype=np.int64)
    back = np.arange(_STEPS)[:, None]
    at = np.maximum(requests.session_indptr[1:] - 1 - back, 0)
    known = requests.session_length() > back
    return np.where(known, requests.session_track[at], -1).astype(np.int64)


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
    rows = _rows_at(requests)
    # All steps at once for a request, one after the other where their keys would be many.
    parts = min(_STEPS, 1 + _STEPS * len(track) // _KEYS)
    split = np.array_split(rows, parts) if parts > 1 else [rows]
    for name, matrix in relations.items():
        found = [_looked_up(matrix, part, request, track) for part in split]
        values = np.concatenate(found) if parts > 1 else found[0]
        columns[f"{prefix}_{name}_last"] = values[0]
        columns[f"{prefix}_{name}_before"] = values[1]
        columns[f"{prefix}_{name}_max"] = values.max(axis=0)
        count = np.count_nonzero(values > 0, axis=0)
        columns[f"{prefix}_{name}_count"] = count.astype(np.float32)
    return columns
