"""The five areas that are watched, and the values every part of monitoring speaks in.

Belongs here: names, verdicts and the frozen values passed between the parts. Does not belong here:
measuring (profile, effects), judging (thresholds, verdict) or writing (reports).
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

AREAS = ("data_quality", "feature_drift", "embedding_drift", "score_drift", "ranking_quality")

TITLES = {
    "data_quality": "Data quality",
    "feature_drift": "Feature drift",
    "embedding_drift": "Embedding drift",
    "score_drift": "Score drift",
    "ranking_quality": "Ranking quality",
}

JUDGED = "judged"
NOT_ENOUGH = "not_enough"


class Verdict(StrEnum):
    """What a report asks of its reader: nothing, attention, or a decision."""

    OK = "ok"
    WATCH = "watch"
    ACT = "act"

    @property
    def rank(self) -> int:
        """0 for ok, 1 for watch, 2 for act."""
        return ("ok", "watch", "act").index(self.value)


@dataclass(frozen=True, slots=True)
class Statistic:
    """One comparison of a day with its reference.

    `value` is an effect size and `threshold` the size from which it is worth a look, both in the
    unit named by `explanation`; `observed` and `usual` are the plain figures behind it. `of` is the
    value that moved most (a surface, a genre), "" = none. An `is_break` is a fault of the data that no
    quiet day shows: it asks for a decision at once, everything else on the second window running.
    """

    name: str
    value: float
    threshold: float
    area: str
    severity: Verdict
    explanation: str
    observed: float
    usual: float
    of: str = ""
    is_break: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """An area's verdict with its reasons, worst first.

    `level` is what the day shows by itself, before the rule of two windows and the cap of a short
    reference: the next window is confirmed by it.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    status: str
    level: Verdict = Verdict.OK


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """Where a report goes: the reports folder, the Evidently workspace (None = no snapshot), the
    model in force (None = none yet) and the seed of the sampled rows."""

    reports: Path
    workspace: Path | None
    model_version: str | None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class AreaReport:
    """A written report. `numbers` holds finite floats only; `snapshot_id` is None without a
    workspace or when there was nothing to compare."""

    area: str
    day: date
    verdict: Verdict
    status: str
    reasons: tuple[str, ...]
    numbers: dict[str, float]
    model_version: str | None
    snapshot_id: str | None
    html: Path
    kilobytes: int
