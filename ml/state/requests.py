"""A batch of requests of one surface, as arrays.

Belongs here: who asks, when, with which session and which listens of the day. Does not belong here:
answers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.state.catalogue import positions
from ml.state.state import State

T = TypeVar("T")


def _chosen_rows(
    indptr: NDArray[np.int64], index: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(indptr of the chosen, positions of their entries) in compressed sparse rows."""
    length = np.diff(indptr)[index]
    chosen = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    owner = np.repeat(np.arange(len(index), dtype=np.int64), length)
    return chosen, indptr[index][owner] + np.arange(chosen[-1]) - chosen[owner]


@dataclass(frozen=True, slots=True)
class DayListens:
    """Each of n requests' listens since 00:00 UTC that were known when it asked, oldest first.

    `indptr` int64 (n + 1) into `track` int32 and `skipped` bool. Context, not state: state is what was
    known at 00:00.
    """

    indptr: NDArray[np.int64]
    track: NDArray[np.int32]
    skipped: NDArray[np.bool_]

    def owner(self) -> NDArray[np.int64]:
        """The request of each listen."""
        return np.repeat(np.arange(len(self.indptr) - 1, dtype=np.int64), np.diff(self.indptr))

    def select(self, index: NDArray[np.int64]) -> "DayListens":
        """The listens of the requests at the given positions."""
        indptr, source = _chosen_rows(self.indptr, index)
        return DayListens(indptr, self.track[source], self.skipped[source])


def no_listens(size: int) -> DayListens:
    """The day of `size` requests in which nobody listened."""
    return DayListens(
        np.zeros(size + 1, dtype=np.int64),
        np.zeros(0, dtype=np.int32),
        np.zeros(0, dtype=np.bool_),
    )


@dataclass(frozen=True, slots=True)
class Requests:
    """n requests of one `surface`.

    `request_ids` and `user_ids` strings (n), null user = anonymous; `user` int32 (n) index into
    State.user_ids, -1 unknown; `at` int64 (n) epoch seconds; `session_indptr` int64 (n + 1) into
    `session_track` int32, the running session's known tracks, oldest first; `day` the listeners'
    listens since midnight, None where nobody looked.
    """

    surface: str
    request_ids: pa.StringArray
    user_ids: pa.StringArray
    user: NDArray[np.int32]
    at: NDArray[np.int64]
    session_indptr: NDArray[np.int64]
    session_track: NDArray[np.int32]
    day: DayListens | None = None
    _made: dict[str, tuple[State | None, Any]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def __len__(self) -> int:
        return len(self.user)

    def once(self, state: State | None, name: str, make: Callable[[], T]) -> T:
        """What `make` derives from these requests and `state` (None = from them alone), made for the
        first that asks and shared with the other sources and the features: a taste serves five."""
        held = self._made.get(name)
        if held is None or held[0] is not state:
            held = self._made[name] = (state, make())
        made: T = held[1]
        return made

    def session_length(self) -> NDArray[np.int64]:
        """Tracks in each request's session."""
        return np.diff(self.session_indptr)

    def select(self, index: NDArray[np.int64]) -> "Requests":
        """The requests at the given positions."""
        indptr, source = _chosen_rows(self.session_indptr, index)
        take = pa.array(index)
        return Requests(
            self.surface,
            self.request_ids.take(take),
            self.user_ids.take(take),
            self.user[index],
            self.at[index],
            indptr,
            self.session_track[source],
            None if self.day is None else self.day.select(index),
        )


def _known_tracks(
    lists: pa.ListArray, state: State
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.bool_]]:
    """(indptr, index of the known tracks, which entries are known) of lists of track ids."""
    import pyarrow.compute as pc

    lengths = np.asarray(pc.fill_null(pc.list_value_length(lists), 0), dtype=np.int64)
    track = state.catalogue.index_of(pc.list_flatten(lists))
    known = track >= 0
    counts = np.bincount(np.repeat(np.arange(len(lists)), lengths)[known], minlength=len(lists))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return indptr, track[known], known


def _day_listens(table: pa.Table, state: State) -> DayListens | None:
    """What the optional columns `today_track_ids` and `today_skipped` (lists of equal lengths) hold."""
    import pyarrow.compute as pc

    if "today_track_ids" not in table.column_names:
        return None
    listens = table["today_track_ids"].combine_chunks()
    indptr, track, known = _known_tracks(listens, state)
    skipped = pc.list_flatten(table["today_skipped"].combine_chunks())
    return DayListens(indptr, track, np.asarray(skipped, dtype=np.bool_)[known])


def requests_from_table(table: pa.Table, surface: str, state: State) -> Requests:
    """The rows of a REQUESTS table (ml.tables) that ask for `surface`, in the table's order.

    Unknown users become -1 and unknown session tracks are left out: neither is an error. Two more
    columns may hold the listens of the day: `today_track_ids`, oldest first, and `today_skipped`.
    """
    import pyarrow.compute as pc

    table = table.filter(pc.equal(table["surface"], surface)).combine_chunks()
    indptr, track, _ = _known_tracks(table["session_track_ids"].combine_chunks(), state)
    user_ids = table["user_id"].combine_chunks()
    micros = table["at"].combine_chunks().cast(pa.int64())
    return Requests(
        surface=surface,
        request_ids=table["request_id"].combine_chunks(),
        user_ids=user_ids,
        user=positions(user_ids, state.user_ids),
        at=np.asarray(micros, dtype=np.int64) // 1_000_000,
        session_indptr=indptr,
        session_track=track,
        day=_day_listens(table, state),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """One request in words; `today` are (track ids, skipped) of the day's listens, oldest first."""

    surface: str
    request_id: str
    user_id: str | None
    at: datetime
    session: Sequence[str] = ()
    today: tuple[Sequence[str], Sequence[bool]] = ((), ())


class _Later:
    """A string array that is made when somebody looks: an answer's ids are told by who asked."""

    __slots__ = ("_values",)

    def __init__(self, *values: str | None) -> None:
        self._values = values

    def __arrow_array__(self, type: pa.DataType | None = None) -> pa.StringArray:  # noqa: A002 - Arrow's name
        return pa.array(self._values, type or pa.string())

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the array has
        return getattr(self.__arrow_array__(), name)

    def __len__(self) -> int:
        return len(self._values)


# What most requests bring: no session, no listens. Nobody writes into a request's arrays.
_NO_TRACKS = np.zeros(0, dtype=np.int32)
_NO_ROWS = np.zeros(2, dtype=np.int64)
_NO_LISTENS = DayListens(_NO_ROWS, _NO_TRACKS, np.zeros(0, dtype=np.bool_))


def one_request(asked: Asked, users: Mapping[str, int], tracks: Mapping[str, int]) -> Requests:
    """A batch of one, equal to that of `requests_from_table`.

    `users` and `tracks` give each id's index in the state: a look-up in Arrow builds its table anew every
    time, 5 ms for 100,000 ids.
    """
    known = [tracks[track] for track in asked.session if track in tracks]
    listens = [
        (tracks[track], skipped)
        for track, skipped in zip(*asked.today, strict=True)
        if track in tracks
    ]
    return Requests(
        surface=asked.surface,
        request_ids=_Later(asked.request_id),
        user_ids=_Later(asked.user_id),
        user=np.array([-1 if asked.user_id is None else users.get(asked.user_id, -1)], np.int32),
        at=np.array([int(asked.at.timestamp())], dtype=np.int64),
        session_indptr=np.array([0, len(known)], dtype=np.int64) if known else _NO_ROWS,
        session_track=np.array(known, dtype=np.int32) if known else _NO_TRACKS,
        day=_day_of(listens) if listens else _NO_LISTENS,
    )


def _day_of(listens: Sequence[tuple[int, bool]]) -> DayListens:
    return DayListens(
        np.array([0, len(listens)], dtype=np.int64),
        np.array([track for track, _ in listens], dtype=np.int32),
        np.array([skipped for _, skipped in listens], dtype=np.bool_),
    )
