"""How a candidate relates to each of the session's last tracks in what generators have learned.

Belongs here: look-ups in item-item matrices. Does not belong here: sums over the session, which the
generators bring as scores.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.state.requests import Requests
from ml.state.rows import places_among

Named = dict[str, NDArray[np.float32]]

# Steps back that are looked at one by one.
_STEPS = 5
# Keys searched at once: 2 million are 16 MB, and as much for what is found.
_KEYS = 2_000_000


def _looked_up(
    matrices: Sequence[sparse.csr_matrix],
    rows: NDArray[np.int64],
    request: NDArray[np.int32],
    track: NDArray[np.int32],
) -> NDArray[np.float32]:
    """matrix[rows[step, request], track] for every matrix and step, 0 where nothing is stored or the row is
    -1; float32 (matrices, steps, m).

    What the rows store is sought among the candidates, not the other way round: five rows hold fewer entries
    than five times the candidates. `request` ascends, `track` within it, each pair once.
    """
    steps, size = rows.shape
    found = np.zeros((len(matrices) * steps, len(track)), dtype=np.float32)
    if not len(track) or not len(matrices):
        return found.reshape(len(matrices), steps, len(track))
    asks = (rows >= 0).ravel().nonzero()[0]
    parts = [_stored(matrix, rows.ravel()[asks]) for matrix in matrices]
    count, column, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    step = np.concatenate([asks // size + steps * number for number in range(len(matrices))])
    if size == 1:
        at = places_among(track, column, matrices[0].shape[1])
        hit = (at >= 0).nonzero()[0]
    else:
        width = np.int64(matrices[0].shape[1])
        asked = np.tile(asks % size, len(matrices)).repeat(count)
        pair, sought = request * width + track, asked * width + column
        at = np.minimum(np.searchsorted(pair, sought), len(pair) - 1)
        hit = (pair[at] == sought).nonzero()[0]
    found[step.repeat(count)[hit], at[hit]] = value[hit]
    return found.reshape(len(matrices), steps, len(track))


def _stored(
    matrix: sparse.csr_matrix, row: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """(how many each row stores, their columns, their values)."""
    start = matrix.indptr[row].astype(np.int64)
    count = matrix.indptr[row + 1] - start
    place = (start - count.cumsum() + count).repeat(count)
    place += np.arange(len(place))
    return count, matrix.indices[place], matrix.data[place]


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
    rows, matrices = _rows_at(requests), list(relations.values())
    # All at once for a request, one matrix and step after the other where their keys would be many.
    parts = min(_STEPS, 1 + _STEPS * len(track) // _KEYS)
    groups = [matrices] if len(requests) == 1 else [[matrix] for matrix in matrices]
    found = [
        np.concatenate(
            [_looked_up(group, part, request, track) for part in np.array_split(rows, parts)],
            axis=1,
        )
        if parts > 1
        else _looked_up(group, rows, request, track)
        for group in groups
    ]
    for name, values in zip(relations, (one for many in found for one in many), strict=True):
        columns[f"{prefix}_{name}_last"] = values[0]
        columns[f"{prefix}_{name}_before"] = values[1]
        columns[f"{prefix}_{name}_max"] = values.max(axis=0)
        columns[f"{prefix}_{name}_count"] = np.add.reduce(values > 0, axis=0, dtype=np.float32)
    return columns
