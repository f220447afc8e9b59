"""What goes in and out, typed: the OpenAPI description is made from these.

Belongs here: fields, their bounds and examples. Does not belong here: handling.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

MOST_TRACKS = 100
MOST_SESSION = 1_000
MOST_EVENTS = 1_000


def _instant(value: object) -> object:
    """A JSON string as a time; numbers, which pydantic would take for seconds, stay wrong."""
    if not isinstance(value, str):
        return value
    try:
        found = datetime.fromisoformat(value)
        # The outermost years do not survive a change of zone.
        return found.astimezone(UTC) if found.tzinfo else found
    except (ValueError, OverflowError) as error:
        raise ValueError("expected an ISO 8601 time with a zone") from error


def _whole(value: object) -> object:
    """12.0 is a whole number in JSON."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[
    int, Field(ge=1, le=MOST_TRACKS, description="Tracks wanted."), BeforeValidator(_whole)
]
# Spaces alone are no id to the lake either: what is shown to such a listener could not be logged.
Identifier = Annotated[str, Field(min_length=1, max_length=256, pattern="[^ ]")]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]


class Body(BaseModel):
    """No field that is not named, no text where a number is expected."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Filters(Body):
    """What must not be offered."""

    explicit: bool = Field(True, description="False leaves out tracks marked explicit.")
    blocked_artists: list[Identifier] = Field([], max_length=MOST_SESSION)
    blocked_tracks: list[Identifier] = Field([], max_length=MOST_SESSION)


# Made once: a check of nothing costs as much as that of the rest of a body.
_ANYTHING = Filters.model_validate({})


class HomeRequest(Body):
    """Who asks what to play now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user_id": "u0001", "k": 10, "filters": {"explicit": False}}]
        }
    )

    user_id: Identifier | None = Field(None, description="Absent or null: anonymous.")
    k: Count = 20
    filters: Filters = Field(default_factory=lambda: _ANYTHING)
    contributions: bool = Field(
        False, description="Say what each feature family adds to a score (approximate SHAP)."
    )
    at: Instant | None = Field(None, description="Time of the question; absent or null: now.")


class NowPlayingRequest(HomeRequest):
    """Who asks what to play next in the running session."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user_id": "u0001", "session_track_ids": ["t00012", "t00345"], "k": 10}]
        }
    )

    session_track_ids: list[Identifier] = Field(
        [], max_length=MOST_SESSION, description="Tracks of the session so far, oldest first."
    )


class _Similar(Body):
    k: Count = 20
    filters: Filters = Field(default_factory=lambda: _ANYTHING)


class SimilarToTrack(_Similar):
    """Tracks like a track."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"track_id": "t00012", "k": 10}]})

    track_id: Identifier


class SimilarToText(_Similar):
    """Tracks like words; needs a bundle that carries its text encoder."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "quiet piano", "k": 10}]})

    text: str = Field(min_length=1, max_length=1_000)


class Recommended(BaseModel):
    """A track in its place; `propensity` is the probability that the policy showed it there."""

    rank: int
    track_id: str
    title: str | None
    artist: str | None
    score: float
    propensity: float
    duration_ms: float | None
    sources: list[str]
    reasons: list[str]
    contributions: dict[str, float] | None = None


class Answered(BaseModel):
    """Who asked, and by what the answer was made."""

    request_id: str
    surface: Literal["home", "now_playing"]
    user_id: str | None
    at: datetime
    model_version: str
    state_day: date
    answered_by: str = Field(description="ranker, or the generator whose order was shown.")


class Answer(Answered):
    """A list, and by what it was made."""

    fallback: Literal["leader", "popularity"] | None
    tracks: list[Recommended]


class SimilarTrack(BaseModel):
    """A track and its cosine with what was asked."""

    rank: int
    track_id: str
    title: str | None
    artist: str | None
    score: float


class SimilarAnswer(BaseModel):
    """Nearest tracks in text space, best first."""

    request_id: str
    model_version: str
    state_day: date
    tracks: list[SimilarTrack]


class EventsRequest(Body):
    """Listens and impressions as they happened; each is judged by itself."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "events": [
                        {
                            "kind": "listen",
                            "listen_id": "l-1",
                            "user_id": "u0001",
                            "track_id": "t00012",
                            "played_at": "2026-03-10T08:00:00Z",
                            "ms_played": 4000,
                            "surface": "home",
                        }
                    ]
                }
            ]
        }
    )

    events: list[dict[str, Any]] = Field(min_length=1, max_length=MOST_EVENTS)


class RejectedEvent(BaseModel):
    """Place of an event in the call, and what is wrong with it."""

    index: int
    reason: str


class EventsAnswer(BaseModel):
    """How many events are stored now, how many were before, and which cannot be."""

    request_id: str
    accepted: int
    already_known: int
    rejected: list[RejectedEvent]


class TasteTrack(BaseModel):
    """One of the listener's tracks; `strength` is its activation in memory."""

    track_id: str
    title: str | None
    artist: str | None
    streams: float
    strength: float


class TasteArtist(BaseModel):
    """One of the listener's artists; streams of the last weeks (half-life 22 days)."""

    artist_id: str
    streams: float
    recent_streams: float


class TodayListen(BaseModel):
    """A listen since midnight."""

    track_id: str
    played_at: datetime
    skipped: bool


class TasteAnswer(BaseModel):
    """What the system believes about a listener."""

    user_id: str
    known: bool
    model_version: str
    state_day: date
    habits: dict[str, float | None]
    tracks: list[TasteTrack]
    artists: list[TasteArtist]
    today: list[TodayListen]


class SurfaceFacts(BaseModel):
    """How a surface is answered."""

    answered_by: str
    leader: str
    strangers: str = Field(description="Who answers listeners of whom nothing is known.")
    generators: list[str]
    features: int


class ModelAnswer(BaseModel):
    """The model in service."""

    model_version: str
    state_day: date
    valid_on: date
    as_of: str
    code_version: str
    loaded_at: datetime
    tracks: int
    listeners: int
    text_queries: bool
    surfaces: dict[str, SurfaceFacts]


class Health(BaseModel):
    """Whether it lives, or is ready."""

    status: str
    problem: str | None = None


class Error(BaseModel):
    """Any answer that is no answer."""

    error: str
    message: str
    request_id: str
    details: list[dict[str, str]] | None = None
