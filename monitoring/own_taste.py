"""How close listeners stay to themselves: each day's plays against the same listener's other days.

Belongs here: one figure a listener and day, in NumPy. Does not belong here: the centre of all plays
(embedding_drift), which stands still when listeners merely change places with each other.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A listener's direction from fewer plays than this says little.
FEWEST_PLAYS = 10


@dataclass(frozen=True, slots=True)
class Habits:
    """Reference plays by listener: `sums` float64 (listeners, dimensions) of the unit vectors played,
    `plays` int64 (listeners), `unit` float32 (tracks, dimensions) those vectors."""

    user_ids: pa.Array
    sums: Floats
    plays: Ints
    unit: NDArray[np.float32]

    def rows(self, user_ids: pa.Array) -> Ints:
        """Row of each listener, -1 where the reference does not know them."""
        found: Ints = pc.index_in(user_ids, self.user_ids).fill_null(-1).to_numpy()
        return found.astype(np.int64)


def habits(user_ids: pa.ChunkedArray, track: Ints, vectors: NDArray[np.float32]) -> Habits:
    """Habits of the reference's listeners; `track` are rows of `vectors` (-1 = no vector).

    Vectors are centred on the mean play and scaled to length one: a direction that everybody shares says
    nothing about anybody.
    """
    users = pc.unique(user_ids).sort()
    user = pc.index_in(user_ids, users).to_numpy().astype(np.int64)
    inside = track >= 0
    weight = np.bincount(track[inside], minlength=len(vectors))
    centred = vectors - (weight @ vectors / max(weight.sum(), 1)).astype(np.float32)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    sums = played_sums(user[inside], track[inside], unit, len(users))
    plays = np.bincount(user[inside], minlength=len(users)).astype(np.int64)
    return Habits(users, sums, plays, unit)


def closeness(
    known: Habits, row: Ints, sums: Floats, plays: Floats, *, is_reference: bool
) -> Floats:
    """Mean cosine of each listener's plays of a day with their usual direction: float64 (listeners of
    the day), nan where a listener is not known well enough.

    `row` int64 rows of the habits (-1 = none), `sums` float64 (listeners, dimensions) of the unit
    vectors played on the day, `plays` how many. A day of the reference itself is left out of the
    habits it is compared with.
    """
    safe = np.maximum(row, 0)
    left_out = 1.0 if is_reference else 0.0
    direction = known.sums[safe] - left_out * sums
    rest = known.plays[safe] - left_out * plays
    length = np.linalg.norm(direction, axis=1)
    judged = (row >= 0) & (plays > 0) & (rest >= FEWEST_PLAYS) & (length > 0)
    along = np.einsum("ij,ij->i", sums, direction)
    scale = np.where(judged, length * plays, 1.0)
    return np.where(judged, along / scale, np.nan)


def played_sums(user: Ints, track: Ints, values: NDArray[np.float32], users: int) -> Floats:
    """Sum of the vectors each listener played, float64 (users, dimensions)."""
    counts = csr_array((np.ones(len(user), np.float32), (user, track)), shape=(users, len(values)))
    sums: Floats = np.asarray(counts @ values, dtype=np.float64)
    return sums
