"""What is known about every listener and track at 00:00 UTC of a day.

Belongs here: the state that training, batch and online share. Does not belong here: features
(ml.ranking) or storage (ml.state.read, ml.state.publish).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from ml.state.catalogue import Catalogue
from ml.state.columns import Columns, PairTable
from ml.state.log import day_number

T = TypeVar("T")

# Listeners of whom one would have come back if any did: sets of anonymous sessions count each as a listener.
_MANY = 1_000
_INDEXES = frozenset({"user_index", "track_index", "artist_index"})

USER_TRACK_COLUMNS = (
    "plays",
    "streams",
    "skips",
    "first_played_age",
    "last_played_age",
    "streams_h1",
    "streams_h3",
    "streams_h8",
    "streams_h22",
    "streams_h63",
    "streams_h180",
    "skips_h8",
)
USER_ARTIST_COLUMNS = (
    "plays",
    "streams",
    "skips",
    "last_played_age",
    "streams_h3",
    "streams_h22",
    "streams_h180",
    "skips_h22",
)
TRACK_COLUMNS = (
    "plays",
    "streams",
    "skips",
    "listeners",
    "streams_h1",
    "streams_h3",
    "streams_h8",
    "streams_h22",
    "streams_h63",
    "streams_h180",
    "plays_h22",
    "skips_h22",
)
USER_COLUMNS = (
    "plays",
    "streams",
    "skips",
    "sessions",
    "new_tracks",
    "active_days",
    "last_played_age",
    "streams_h3",
    "streams_h22",
    "streams_h180",
    "plays_h22",
    "skips_h22",
    "repeats_h22",
)


def no_friends() -> sparse.csr_matrix:
    """The friendships of a home that holds none: no rows, no columns."""
    return sparse.csr_matrix((0, 0), dtype=np.float32)


def no_countries() -> NDArray[np.int32]:
    """The countries of a home that knows none."""
    return np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class State:
    """Everything known before `valid_on` 00:00 UTC, decayed to that instant.

    `user_ids` are sorted by (first day known, user_id); `users` has one row a user, `tracks` one a
    track of `catalogue`; `user_tracks` pairs users with tracks, `user_artists` with artists
    (index into `catalogue.artist_ids`). Columns are the tuples of this module; ages are in days.
    `friends` float32 CSR (users, users), 1 where the row's listener follows the column's; (0, 0) in a home
    without friendships. `country` int32 (users), equal where the country is, -1 unknown; (0) in a home that
    knows none: the numbers count this state's countries and mean nothing in another.
    """

    valid_on: date
    catalogue: Catalogue
    user_ids: pa.StringArray
    users: Columns
    tracks: Columns
    user_tracks: PairTable
    user_artists: PairTable
    friends: sparse.csr_matrix = field(default_factory=no_friends, compare=False)
    country: NDArray[np.int32] = field(default_factory=no_countries, compare=False)
    _made: dict[str, Any] = field(init=False, default_factory=dict, compare=False, repr=False)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` derives from this state alone, made when first asked for and kept with it.

        What costs a pass over all tracks (an order by popularity, an index of ids) is the same for every
        request of the day.
        """
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made

    @property
    def has_friends(self) -> bool:
        """Whether any friendship is known."""
        return bool(self.friends.nnz)

    @property
    def has_countries(self) -> bool:
        """Whether any listener's country is known."""
        return bool(len(self.country))

    @property
    def has_returned(self) -> bool:
        """Whether listeners come back: of a thousand at least one, of fewer nothing can be said."""
        if self.users.rows < _MANY:
            return True
        return bool((self.users["sessions"] > 1).any())

    def unheard_of(self, user: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which listeners (index, -1 unknown) have no history of their own: unknown ones, and those who are
        known by their friends alone."""
        unknown: NDArray[np.bool_] = user < 0
        if not self.has_friends or not self.users.rows:
            return unknown
        known = np.where(unknown, 0, user)
        friends = self.friends.indptr[known + 1] - self.friends.indptr[known]
        alone: NDArray[np.bool_] = (self.users["plays"][known] == 0) & (friends > 0)
        return np.logical_or(unknown, alone)

    @property
    def user_index(self) -> dict[str, int]:
        """Index of each user id."""
        return self.once("user_index", lambda: _index(self.user_ids))

    @property
    def track_index(self) -> dict[str, int]:
        """Index of each track id of the catalogue."""
        return self.once("track_index", lambda: _index(self.catalogue.track_ids))

    @property
    def artist_index(self) -> dict[str, int]:
        """Index of each artist id of the catalogue."""
        return self.once("artist_index", lambda: _index(self.catalogue.artist_ids))

    def on(self, day: date) -> "State":
        """The same knowledge decayed to a later day.

        Raises:
            ValueError: `day` is before `valid_on`: a state never looks back.
        """
        days = day_number(day) - day_number(self.valid_on)
        if days < 0:
            raise ValueError(f"state of {self.valid_on} cannot answer for the earlier {day}")
        later = replace(
            self,
            valid_on=day,
            users=self.users.later(days),
            tracks=self.tracks.later(days),
            user_tracks=self.user_tracks.later(days),
            user_artists=self.user_artists.later(days),
        )
        # Ids keep their places; what else was made from this state belongs to its day.
        later._made.update({name: made for name, made in self._made.items() if name in _INDEXES})
        return later


def _index(ids: pa.StringArray) -> dict[str, int]:
    return dict(zip(ids.to_pylist(), range(len(ids)), strict=True))
