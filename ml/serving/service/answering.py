"""One list: from a question in words to the answer's fields and its impressions.

Belongs here: the way through the Recommender, with its time counted. Does not belong here: HTTP, storage.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from ml.ranking.features import FeatureMatrix
from ml.ranking.judging import RANKER
from ml.ranking.order import POPULARITY, strangers
from ml.ranking.reasons import explain_few
from ml.serving.events.shown import ShownList
from ml.serving.pace import Way
from ml.serving.recommender import Answer, Recommender
from ml.serving.service.loading import Served
from ml.serving.wishes import Wishes
from ml.state.described import described_tracks
from ml.state.requests import Asked, one_request

# Who no id was sent for; the impressions table knows no null here.
ANONYMOUS = "anonymous"
ARM = "champion"


@dataclass(slots=True)
class Deadline:
    """The pace of one answer: seconds by stage, late once `seconds` have gone since `started`.

    `ticks` counts seconds monotonically; waiting for a free worker counts too.
    """

    started: float
    seconds: float
    ticks: Callable[[], float]
    stages: dict[str, float] = field(default_factory=dict)
    _last: float = 0.0

    def begin(self) -> None:
        """The waiting is over."""
        self._last = self.ticks()
        self.stages["wait"] = self._last - self.started

    def late(self) -> bool:
        """See Pace."""
        return self.ticks() - self.started > self.seconds

    def passed(self, stage: str) -> None:
        """See Pace."""
        now = self.ticks()
        self.stages[stage] = now - self._last
        self._last = now


@dataclass(frozen=True, slots=True)
class Listed:
    """The answer's `fields` (schemas.Answer), what it showed for the journal, the fallback taken and the
    number of candidates by source."""

    fields: dict[str, object]
    shown: ShownList
    fallback: str | None
    found: Mapping[str, int]


def answer_one(
    served: Served,
    asked: Asked,
    k: int,
    wishes: Wishes,
    pace: Deadline,
    shown_at: datetime,
    *,
    contributions: bool,
) -> Listed:
    """The list for one question, by the state of its day."""
    recommender = served.on(asked.at.date())
    state = recommender.state
    block = one_request(asked, state.user_index, state.track_index)
    answer = recommender.answer(block, k, wishes=wishes, pace=pace)
    head = heading(served, asked, answer)
    explained = contributions and head["answered_by"] == "ranker"
    tracks = _tracks(recommender, answer, _contributions(served, answer, explained))
    pace.passed("reasons")
    fallback = None if answer.way is Way.CHOSEN else answer.way.value
    fields: dict[str, object] = {
        **head,
        "fallback": fallback,
        "tracks": tracks,
    }
    # A list that fell back is an arm of its own: another policy showed it.
    shown = ShownList(
        asked.request_id,
        asked.user_id or ANONYMOUS,
        asked.surface,
        shown_at,
        [str(track["track_id"]) for track in tracks],
        answer.score[answer.shown.row].tolist(),
        served.version,
        ARM if fallback is None else f"{ARM}-{fallback}",
    )
    return Listed(fields, shown, fallback, _found(answer))


def _tracks(
    recommender: Recommender, answer: Answer, contributions: list[dict[str, float]] | None
) -> list[dict[str, object]]:
    """The shown tracks as fields of schemas.Recommended; the values are those of batch's table, whose
    making takes 0.7 ms for twenty rows."""
    shown, state = answer.shown, recommender.state
    tracks = answer.pool.track[shown.row].tolist()
    sources, reasons = explain_few(answer.requests, answer.pool, shown.row, state)
    words = described_tracks(state, tracks)
    scores = answer.score[shown.row].tolist()
    return [
        {
            "rank": rank,
            "track_id": words[track].track_id,
            "title": words[track].title,
            "artist": words[track].artist,
            "score": scores[place],
            # As in Recommender.table: without exploration slots what is shown had probability 1.
            "propensity": 1.0,
            # Not a number where unknown, which orjson writes as null.
            "duration_ms": words[track].duration_ms,
            "sources": sources[place],
            "reasons": [reasons[place]],
            "contributions": None if contributions is None else contributions[place],
        }
        for place, (rank, track) in enumerate(zip(shown.rank.tolist(), tracks, strict=True))
    ]


def heading(served: Served, asked: Asked, answer: Answer) -> dict[str, object]:
    """The fields of schemas.Answered."""
    return {
        "request_id": asked.request_id,
        "surface": asked.surface,
        "user_id": asked.user_id,
        "at": asked.at,
        "model_version": served.version,
        "state_day": served.state_day,
        "answered_by": answered_by(served, answer),
    }


def answered_by(served: Served, answer: Answer) -> str:
    """The ranker, or the generator whose order is shown."""
    model = served.recommender.surfaces[answer.requests.surface]
    if answer.way is Way.POPULARITY:
        return POPULARITY
    if answer.way is Way.LEADER or model.ranker is None:
        return model.leader
    if model.strangers != RANKER and strangers(answer.requests, served.recommender.state)[0]:
        return model.strangers
    return "ranker"


def _found(answer: Answer) -> dict[str, int]:
    rank = answer.pool.rank
    # What is not a number is not equal to itself.
    present = np.add.reduce(rank == rank, axis=1)
    return dict(zip(answer.pool.generators, present.tolist(), strict=True))


def _contributions(
    served: Served, answer: Answer, explained: bool
) -> list[dict[str, float]] | None:
    """What each feature family adds to the shown scores of the ranker; None unless `explained`."""
    ranker = served.recommender.surfaces[answer.requests.surface].ranker
    if not explained or ranker is None or not len(answer.shown.row):
        return None
    shown = FeatureMatrix(answer.features.names, answer.features.values[answer.shown.row])
    groups = ranker.contributions(shown, exact=False)
    return [
        {name: float(values[row]) for name, values in groups.items()}
        for row in range(len(answer.shown.row))
    ]
