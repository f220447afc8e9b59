"""What is known about every listener and track at 00:00 UTC of a day.

Belongs here: the state that training, batch and online share. Does not belong here: features
(ml.ranking) or storage (ml.state.read, ml.state.publish).
"""

from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa

from ml.state.catalogue import Catalogue
from ml.state.columns import Columns, PairTable
from ml.state.log import day_number

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


@dataclass(frozen=True, slots=True)
class State:
    """Everything known before `valid_on` 00:00 UTC, decayed to that instant.

    `user_ids` are sorted by (first day known, user_id); `users` has one row a user, `tracks` one a
    track of `catalogue`; `user_tracks` pairs users with tracks, `user_artists` with artists
    (index into `catalogue.artist_ids`). Columns are the tuples of this module; ages are in days.
    """

    valid_on: date
    catalogue: Catalogue
    user_ids: pa.StringArray
    users: Columns
    tracks: Columns
    user_tracks: PairTable
    user_artists: PairTable

    def on(self, day: date) -> "State":
        """The same knowledge decayed to a later day.

        Raises:
            ValueError: `day` is before `valid_on`: a state never looks back.
        """
        days = day_number(day) - day_number(self.valid_on)
        if days < 0:
            raise ValueError(f"state of {self.valid_on} cannot answer for the earlier {day}")
        return replace(
            self,
            valid_on=day,
            users=self.users.later(days),
            tracks=self.tracks.later(days),
            user_tracks=self.user_tracks.later(days),
            user_artists=self.user_artists.later(days),
        )
