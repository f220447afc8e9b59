"""What changes while the world lives: everybody's memory, and rows that arrive late.

Belongs here: the simulation's state and its storage. Does not belong here: how it is used.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.simulation.config import SimulationError
from ml.tables import LISTENS

PLAYS = 120
_ARRAYS = ("track", "time", "cursor", "free")


@dataclass(frozen=True, slots=True)
class SimulationState:
    """State after `day` days: the last 120 plays of each listener as rings.

    `track` int32 (listeners, 120), -1 = free; `time` float64 (listeners, 120) days since the world
    began; `cursor` int64 (listeners) the next slot; `free` float64 (listeners) days since the world
    began when each last stopped listening; `pending` listens not yet known.
    """

    day: int
    track: NDArray[np.int32]
    time: NDArray[np.float64]
    cursor: NDArray[np.int64]
    free: NDArray[np.float64]
    pending: pa.Table


def empty_state(listeners: int) -> SimulationState:
    """Nobody remembers anything yet."""
    return SimulationState(
        0,
        np.full((listeners, PLAYS), -1, dtype=np.int32),
        np.zeros((listeners, PLAYS)),
        np.zeros(listeners, dtype=np.int64),
        np.full(listeners, -1.0),
        LISTENS.schema.empty_table(),
    )


def copied(state: SimulationState) -> SimulationState:
    """The same state with arrays of its own."""
    return replace(state, **{name: getattr(state, name).copy() for name in _ARRAYS})


def remember(
    state: SimulationState,
    who: NDArray[np.int64],
    track: NDArray[np.int64],
    time: NDArray[np.float64],
) -> None:
    """Put one play of each listener into memory, in place; nobody appears twice."""
    slot = state.cursor[who] % PLAYS
    state.track[who, slot] = track
    state.time[who, slot] = time
    state.cursor[who] += 1


@dataclass(frozen=True, slots=True)
class Moment:
    """m running sessions at one step: `who` int64 listeners, `last` int64 track before (-1 = none),
    `surface` int8 index of SURFACES; `heard` int32 (m, 120) tracks in memory, `ago` float64 (m, 120)
    days since.
    """

    who: NDArray[np.int64]
    last: NDArray[np.int64]
    surface: NDArray[np.int8]
    heard: NDArray[np.int32]
    ago: NDArray[np.float64]


def moment(
    state: SimulationState,
    who: NDArray[np.int64],
    last: NDArray[np.int64],
    surface: NDArray[np.int8],
    now: NDArray[np.float64],
) -> Moment:
    """What these listeners remember at `now` (days since the world began)."""
    return Moment(who, last, surface, state.track[who], now[:, None] - state.time[who])


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
        free=state.free,
    )
    aside.replace(folder / "memory.npz")


def load_state(folder: Path) -> SimulationState:
    """The state stored in `folder`.

    Raises:
        SimulationError: another version of the simulation stored it.
    """
    with np.load(folder / "memory.npz", allow_pickle=False) as arrays:
        if set(arrays.files) != {"day", *_ARRAYS}:
            raise SimulationError(
                f"expected the arrays day, {', '.join(_ARRAYS)} in {folder}, found "
                f"{', '.join(arrays.files)}: another version simulated this home; begin a new one "
                "with SEGUE_HOME=FOLDER segue simulate"
            )
        return SimulationState(
            int(arrays["day"]),
            arrays["track"],
            arrays["time"],
            arrays["cursor"],
            arrays["free"],
            pq.read_table(folder / "pending.parquet").cast(LISTENS.schema),
        )
