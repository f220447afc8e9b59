"""The listening log as arrays.

Belongs here: the columns generators are fitted from, and cuts in known time. Does not belong here:
reading it from the warehouse (ml.state.read).
"""

from dataclasses import dataclass, fields
from datetime import date

import numpy as np
from numpy.typing import NDArray

_EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


@dataclass(frozen=True, slots=True)
class Log:
    """n listens sorted by (session, position): sessions ascend by (start, user), so `session` ascends.

    `user`, `track` int32 indices (State.user_ids, Catalogue.track_ids); `session` int32, `position`
    int32 within it; `played_at` int64 epoch seconds; `known_day` int32 days since 1970-01-01;
    `ms_played` int32, -1 where unknown; `is_stream` bool; `surface` int8, an index into
    ml.tables.SURFACES. `users` and `tracks` are the sizes of the index spaces.
    """

    user: NDArray[np.int32]
    track: NDArray[np.int32]
    session: NDArray[np.int32]
    position: NDArray[np.int32]
    played_at: NDArray[np.int64]
    known_day: NDArray[np.int32]
    ms_played: NDArray[np.int32]
    is_stream: NDArray[np.bool_]
    surface: NDArray[np.int8]
    users: int
    tracks: int

    def __len__(self) -> int:
        return len(self.user)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Log":
        """The chosen rows, order kept; the index spaces stay."""
        arrays = {
            field.name: getattr(self, field.name)[rows]
            for field in fields(self)
            if field.name not in {"users", "tracks"}
        }
        return Log(**arrays, users=self.users, tracks=self.tracks)

    def before(self, as_of: date) -> "Log":
        """What is known before `as_of` 00:00 UTC."""
        return self.select(self.known_day < day_number(as_of))

    def on(self, day: date) -> "Log":
        """What became known on `day`."""
        return self.select(self.known_day == day_number(day))
