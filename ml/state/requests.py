"""A batch of requests of one surface, as arrays.

Belongs here: who asks, when, with which session. Does not belong here: answers.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.state.catalogue import positions
from ml.state.state import State


@dataclass(frozen=True, slots=True)
class Requests:
    """n requests of one `surface`.

    `request_ids` and `user_ids` strings (n), null user = anonymous; `user` int32 (n) index into
    State.user_ids, -1 unknown; `at` int64 (n) epoch seconds; `session_indptr` int64 (n + 1) into
    `session_track` int32, the running session's known tracks, oldest first.
    """

    surface: str
    request_ids: pa.StringArray
    user_ids: pa.StringArray
    user: NDArray[np.int32]
    at: NDArray[np.int64]
    session_indptr: NDArray[np.int64]
    session_track: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.user)

    def session_length(self) -> NDArray[np.int64]:
        """Tracks in each request's session."""
        return np.diff(self.session_indptr)

    def recent(self, last: int) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """The last tracks of each session: (request, track, steps back), 0 = the latest."""
        length = self.session_length()
        request = np.repeat(np.arange(len(self), dtype=np.int64), length)
        within = np.arange(len(self.session_track), dtype=np.int64) - self.session_indptr[request]
        back = length[request] - 1 - within
        kept = back < last
        return request[kept], self.session_track[kept], back[kept]

    def select(self, index: NDArray[np.int64]) -> "Requests":
        """The requests at the given positions."""
        length = self.session_length()[index]
        indptr = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
        owner = np.repeat(np.arange(len(index), dtype=np.int64), length)
        source = self.session_indptr[index][owner] + np.arange(indptr[-1]) - indptr[owner]
        take = pa.array(index)
        return Requests(
            self.surface,
            self.request_ids.take(take),
            self.user_ids.take(take),
            self.user[index],
            self.at[index],
            indptr,
            self.session_track[source],
        )


def requests_from_table(table: pa.Table, surface: str, state: State) -> Requests:
    """The rows of a REQUESTS table (ml.tables) that ask for `surface`, in the table's order.

    Unknown users become -1 and unknown session tracks are left out: neither is an error.
    """
    import pyarrow.compute as pc

    table = table.filter(pc.equal(table["surface"], surface)).combine_chunks()
    sessions = table["session_track_ids"].combine_chunks()
    lengths = np.asarray(pc.fill_null(pc.list_value_length(sessions), 0), dtype=np.int64)
    track = state.catalogue.index_of(pc.list_flatten(sessions))
    request = np.repeat(np.arange(len(table), dtype=np.int64), lengths)
    known = track >= 0
    counts = np.bincount(request[known], minlength=len(table))
    user_ids = table["user_id"].combine_chunks()
    micros = table["at"].combine_chunks().cast(pa.int64())
    return Requests(
        surface=surface,
        request_ids=table["request_id"].combine_chunks(),
        user_ids=user_ids,
        user=positions(user_ids, state.user_ids),
        at=np.asarray(micros, dtype=np.int64) // 1_000_000,
        session_indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        session_track=track[known],
    )
