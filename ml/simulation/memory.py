"""What changes while the world lives: everybody's memory, and rows that arrive late.

Belongs here: the simulation's state and its storage. Does not belong here: how it is used.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.tables import LISTENS

PLAYS = 120


@dataclass(frozen=True, slots=True)
class SimulationState:
    """State after `day` days: the last 120 plays of each listener as rings.

    `track` int32 (listeners, 120), -1 = free; `time` float64 (listeners, 120) days since the world
    began; `cursor` int64 (listeners) the next slot; `pending` listens not yet known.
    """

    day: int
    track: NDArray[np.int32]
    time: NDArray[np.float64]
    cursor: NDArray[np.int64]
    pending: pa.Table


def empty_state(listeners: int) -> SimulationState:
    """Nobody remembers anything yet."""
    return SimulationState(
        0,
        np.full((listeners, PLAYS), -1, dtype=np.int32),
        np.zeros((listeners, PLAYS)),
        np.zeros(listeners, dtype=np.int64),
        LISTENS.schema.empty_table(),
    )


def save_state(state: SimulationState, folder: Path) -> None:
    """Store the state in `folder`, both files written aside and renamed, the arrays last."""
    folder.mkdir(parents=True, exist_ok=True)
    pending = folder / ".pending.aside"
    pq.write_table(state.pending, pending)
    pending.replace(folder / "pending.parquet")
    aside = folder / ".memory.aside.npz"
    np.savez(
        aside,
        day=np.int64(state.day),
        track=state.track,
        time=state.time,
        cursor=state.cursor,
    )
    aside.replace(folder / "memory.npz")


def load_state(folder: Path) -> SimulationState:
    """The state stored in `folder`."""
    with np.load(folder / "memory.npz", allow_pickle=False) as arrays:
        return SimulationState(
            int(arrays["day"]),
            arrays["track"],
            arrays["time"],
            arrays["cursor"],
            pq.read_table(folder / "pending.parquet").cast(LISTENS.schema),
        )
