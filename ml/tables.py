"""The canonical tables: one vocabulary for every package.

Belongs here: column names, Arrow types, keys, allowed values and the few constants that give
listening its meaning (stream, skip, session). Does not belong here: reading, judging or writing rows.
"""

from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa

SURFACES = ("home", "now_playing", "search", "library", "radio", "unknown")
RECOMMENDED_SURFACES = ("home", "now_playing")

# A stream is a listen of 30 s or more, or of unknown length; a skip is a listen under 30 s.
STREAM_MS = 30_000
SESSION_GAP = timedelta(minutes=30)
SESSION_LIMIT = timedelta(hours=12)

# Half-lives in days of every decayed sum. Six log-spaced exponentials approximate the power law of
# human memory (ACT-R base-level activation) from one day to a year.
HALF_LIVES = (1, 3, 8, 22, 63, 180)

AUDIO_FEATURES = (
    "tempo",
    "energy",
    "valence",
    "danceability",
    "acousticness",
    "instrumentalness",
    "loudness",
)

TIMESTAMP = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class Table:
    """A canonical table: its Arrow schema and the columns that identify a row."""

    name: str
    key: tuple[str, ...]
    schema: pa.Schema

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that may not be null."""
        return tuple(field.name for field in self.schema if not field.nullable)


def _field(name: str, kind: pa.DataType, *, required: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=not required)


LISTENS = Table(
    "listens",
    ("listen_id",),
    pa.schema(
        [
            _field("listen_id", pa.string(), required=True),
            _field("user_id", pa.string(), required=True),
            _field("track_id", pa.string(), required=True),
            _field("played_at", TIMESTAMP, required=True),
            _field("ms_played", pa.int64()),
            _field("surface", pa.string(), required=True),
            _field("session_id", pa.string()),
            _field("request_id", pa.string()),
            _field("known_at", TIMESTAMP, required=True),
        ]
    ),
)

TRACKS = Table(
    "tracks",
    ("track_id",),
    pa.schema(
        [
            _field("track_id", pa.string(), required=True),
            _field("title", pa.string()),
            _field("artist_id", pa.string()),
            _field("artist_name", pa.string()),
            _field("album", pa.string()),
            _field("released_on", pa.date32()),
            _field("duration_ms", pa.int64()),
            _field("explicit", pa.bool_()),
            _field("genres", pa.list_(pa.string())),
            _field("tags", pa.list_(pa.string())),
            *[_field(name, pa.float64()) for name in AUDIO_FEATURES],
            _field("known_at", TIMESTAMP, required=True),
        ]
    ),
)

USERS = Table(
    "users",
    ("user_id",),
    pa.schema(
        [
            _field("user_id", pa.string(), required=True),
            _field("country", pa.string()),
            _field("birth_year", pa.int32()),
            _field("signed_up_on", pa.date32()),
            _field("known_at", TIMESTAMP, required=True),
        ]
    ),
)

# A row says that `user_id` follows `friend_id`; a friendship of both is two rows. A home may have none.
FRIENDSHIPS = Table(
    "friendships",
    ("user_id", "friend_id"),
    pa.schema(
        [
            _field("user_id", pa.string(), required=True),
            _field("friend_id", pa.string(), required=True),
            _field("known_at", TIMESTAMP, required=True),
        ]
    ),
)

IMPRESSIONS = Table(
    "impressions",
    ("request_id", "position"),
    pa.schema(
        [
            _field("request_id", pa.string(), required=True),
            _field("position", pa.int32(), required=True),
            _field("user_id", pa.string(), required=True),
            _field("surface", pa.string(), required=True),
            _field("shown_at", TIMESTAMP, required=True),
            _field("track_id", pa.string(), required=True),
            _field("score", pa.float64()),
            _field("propensity", pa.float64()),
            _field("model_version", pa.string()),
            _field("arm", pa.string()),
            _field("known_at", TIMESTAMP, required=True),
        ]
    ),
)

CANONICAL = {table.name: table for table in (LISTENS, TRACKS, USERS, FRIENDSHIPS, IMPRESSIONS)}

RECOMMENDATIONS = Table(
    "recommendations",
    ("request_id", "rank"),
    pa.schema(
        [
            _field("request_id", pa.string(), required=True),
            _field("user_id", pa.string()),
            _field("surface", pa.string(), required=True),
            _field("rank", pa.int32(), required=True),
            _field("track_id", pa.string(), required=True),
            _field("score", pa.float64(), required=True),
            _field("propensity", pa.float64(), required=True),
            _field("sources", pa.list_(pa.string()), required=True),
            _field("reasons", pa.list_(pa.string()), required=True),
            _field("model_version", pa.string(), required=True),
            _field("state_day", pa.date32(), required=True),
        ]
    ),
)

REQUESTS = Table(
    "requests",
    ("request_id",),
    pa.schema(
        [
            _field("request_id", pa.string(), required=True),
            _field("user_id", pa.string()),
            _field("surface", pa.string(), required=True),
            _field("at", TIMESTAMP, required=True),
            _field("session_track_ids", pa.list_(pa.string())),
        ]
    ),
)
