"""What the listening room asks for beyond lists and events, typed.

Belongs here: one track explained, listeners to choose from. Does not belong here: the other models (schemas).
"""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ml.serving.service.schemas import Answered, Body, Identifier, NowPlayingRequest


class ExplainRequest(Body):
    """A track of an answer to a request; with the `at` of that answer it is the same answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"surface": "home", "request": {"user_id": "u0001"}, "track_id": "t00012"}]
        }
    )

    surface: Literal["home", "now_playing"] = "home"
    request: NowPlayingRequest = Field(description="As it was asked; Home has no session.")
    track_id: Identifier


class Proposed(BaseModel):
    """A source that proposed the track, at which place and with which score of its own."""

    source: str
    rank: int
    score: float


class FamilyShare(BaseModel):
    """What the features of a family added to the score (exact SHAP, summed)."""

    family: str
    contribution: float


class Feature(BaseModel):
    """A feature's value, null where it is not known, and what it added, null without a ranker."""

    family: str
    name: str
    value: float | None
    contribution: float | None


class ExplainAnswer(Answered):
    """One track behind the list; base and contributions sum to the score."""

    track_id: str
    title: str | None
    artist: str | None
    verdict: Literal["shown", "below", "rules", "skipped", "no_candidate"] = Field(
        description="shown; below the last place; left out by the surface's rules; skipped since "
        "midnight; proposed by no source, or filtered out."
    )
    rank: int | None
    score: float | None
    candidates: int
    sources: list[Proposed]
    silent: list[str] = Field(description="Sources that did not propose it.")
    base: float | None = Field(description="The score of a row that nothing is known of.")
    families: list[FamilyShare]
    features: list[Feature]


class ListenerFacts(BaseModel):
    """A known listener; recent streams halve every 22 days."""

    user_id: str
    streams: float
    recent_streams: float


class ListenersAnswer(BaseModel):
    """Some of the `known` listeners."""

    state_day: date
    known: int
    users: list[ListenerFacts]
