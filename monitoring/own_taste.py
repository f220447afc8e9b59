"""How close listeners stay to themselves: each day's plays against the same listener's other days.

Belongs here: one figure per day, in NumPy. Does not belong here: the centre of all plays
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
    """Reference plays by listener: `sums` float64 (listeners, dimensions) of the unit vectors
    played, `plays` of each listener, and each reference day's plays as rows (listener, track)."""

    user_ids: pa.Array
    sums: Floats
    plays: Ints
    days: tuple[tuple[Ints, Ints], ...]
    unit: NDArray[np.float32]


def habits(
    user_ids: pa.ChunkedArray, track: Ints, day: Ints, vectors: NDArray[np.float32]
) -> Habits:
    """Habits of the reference's listeners; `track` are rows of `vectors` (-1 = no vector), `day`
    counts from 0. Vectors are centred on the mean play and scaled to length one: a direction that
    everybody shares says nothing about anybody."""
    users = pc.unique(user_ids).sort()
    user = _rows(user_ids, users)
    inside = track >= 0
    weight = np.bincount(track[inside], minlength=len(vectors))
    centred = vectors - (weight @ vectors / max(weight.sum(), 1)).astype(np.float32)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    days = tuple(
        (user[inside & (day == one)], track[inside & (day == one)])
        for one in range(int(day.max(initial=-1)) + 1)
    )
    sums = _sums(user[inside], track[inside], unit, len(users))
    plays = np.bincount(user[inside], minlength=len(users)).astype(np.int64)
    return Habits(users, sums, plays, days, unit)


def reference_closeness(known: Habits) -> list[float]:
    """Each reference day's closeness, the day itself left out of the habits."""
    return [_closeness(known, user, track, leave_out=True) for user, track in known.days]


def closeness(known: Habits, user_ids: pa.ChunkedArray, track: Ints) -> float:
    """Mean cosine of the plays with their listener's usual direction, listeners counted alike; nan
    when no listener is known well enough."""
    user = _rows(user_ids, known.user_ids)
    inside = (user >= 0) & (track >= 0)
    return _closeness(known, user[inside], track[inside], leave_out=False)


def _closeness(known: Habits, user: Ints, track: Ints, *, leave_out: bool) -> float:
    today = _sums(user, track, known.unit, len(known.plays))
    count = np.bincount(user, minlength=len(known.plays))
    direction = known.sums - today if leave_out else known.sums
    plays = known.plays - count if leave_out else known.plays
    length = np.linalg.norm(direction, axis=1)
    judged = (count > 0) & (plays >= FEWEST_PLAYS) & (length > 0)
    if not judged.any():
        return float("nan")
    along = np.einsum("ij,ij->i", today[judged], direction[judged])
    return float((along / length[judged] / count[judged]).mean())


def _sums(user: Ints, track: Ints, unit: NDArray[np.float32], users: int) -> Floats:
    counts = csr_array((np.ones(len(user), np.float32), (user, track)), shape=(users, len(unit)))
    sums: Floats = np.asarray(counts @ unit, dtype=np.float64)
    return sums


def _rows(values: pa.ChunkedArray, among: pa.Array) -> Ints:
    rows: Ints = pc.index_in(values, among).fill_null(-1).to_numpy().astype(np.int64)
    return rows
