"""The five areas on a simulated life: the same pure functions as the reports, without pages.

Belongs here: what a champion's reference holds, and judging a day after the other. Does not belong here:
living (monitored_world) or counting alarms (bench_monitoring).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from monitoring import data_quality, feature_drift, ranking_quality, score_drift
from monitoring import embedding_drift as embedding
from monitoring.areas import AREAS, Judgement, Statistic, Verdict
from monitoring.calibration import Calibration
from monitoring.measures import DATA_QUALITY
from monitoring.outcomes import outcomes
from monitoring.plays import Vectors, played
from monitoring.profile import Profile, daily_profiles, head_tracks
from monitoring.reports import effects
from monitoring.statistics import statistics
from monitoring.suspects import Suspect, first_suspect
from monitoring.verdict import judge
from tests.benchmarks.light_champion import Champion
from tests.benchmarks.monitored_world import Lived

_HISTORY = 28
_FEWEST_LISTENERS = 20
# Statistics, and the numbers kept beside them.
Found = tuple[tuple[Statistic, ...], dict[str, float]]
_WITH_HISTORY = ("feature_drift", "score_drift", "ranking_quality")


@dataclass(frozen=True, slots=True)
class Reference:
    """What is known of quiet days under a champion, computed once: profiles, calibrations, and the inputs
    and scores of its first lists."""

    head: tuple[str, ...]
    days: tuple[Profile, ...]
    quality: Calibration
    embedding: embedding.Reference
    place: Calibration
    vectors: Vectors
    features: pa.Table
    gain: Mapping[str, float]
    scores: pa.Table
    tracks: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A day: each area's judgement, everything measured, and the first suspect (None = quiet)."""

    areas: Mapping[str, Judgement]
    statistics: tuple[Statistic, ...]
    suspect: Suspect | None

    @property
    def worst(self) -> Verdict:
        """The worst verdict of the five areas."""
        return max((one.verdict for one in self.areas.values()), key=lambda one: one.rank)


@dataclass(frozen=True, slots=True)
class Watch:
    """A reference, the history of the areas that have one, and each area's level on the day before."""

    reference: Reference
    history: Mapping[str, tuple[Profile, ...]] = field(default_factory=dict)
    levels: Mapping[str, Verdict] = field(default_factory=dict)

    def judged(self, lived: Lived) -> tuple[Judged, "Watch"]:
        """The day's judgement, and the watch after it; this one is not changed."""
        found = self._statistics(lived)
        judgements = {
            area: judge(
                found[area][0],
                before=self.levels.get(area),
                quiet_days=self._quiet_days(area),
            )
            for area in AREAS
        }
        history = {
            area: self._longer(area, lived, found[area], judgements[area]) for area in _WITH_HISTORY
        }
        levels = {area: one.level for area, one in judgements.items()}
        everything = tuple(one for area in AREAS for one in found[area][0])
        judged = Judged(judgements, everything, first_suspect(everything))
        return judged, replace(self, history=history, levels=levels)

    def _statistics(self, lived: Lived) -> dict[str, Found]:
        known, listens, day = self.reference, lived.listens, lived.day
        profile = daily_profiles(listens, known.head, days=(day,))[0]
        place = known.embedding.profile(played(listens, known.vectors.track_ids), known.vectors)
        if place is None:
            raise SystemExit(f"expected listens on {day}, found none: take more listeners")
        inputs = feature_drift.drift_of(
            lived.next_lists.features,
            known.features,
            known.gain,
            self.history.get("feature_drift", ()),
            day,
        )
        voice = score_drift.drift_of(
            lived.next_lists.scores, known.scores, self.history.get("score_drift", ()), day
        )
        where = known.embedding
        return {
            "data_quality": (statistics(profile, known.days, DATA_QUALITY, known.quality), {}),
            "embedding_drift": (statistics(place, where.days, where.panel, known.place), {}),
            "feature_drift": (inputs, {}),
            "score_drift": (voice, {}),
            "ranking_quality": self._ranking(lived),
        }

    def _ranking(self, lived: Lived) -> Found:
        streams = lived.listens.filter(lived.listens["is_stream"]).select(["user_id", "track_id"])
        made = outcomes(lived.lists.table, streams)
        if made.listeners < _FEWEST_LISTENERS:
            return (), {}
        numbers = ranking_quality.numbers_of(made, self.reference.tracks)
        past = self.history.get("ranking_quality", ())
        found = ranking_quality.statistics_of(
            lived.day, made, numbers, streams, lived.popular, past
        )
        return found, numbers

    def _quiet_days(self, area: str) -> int:
        if area in _WITH_HISTORY:
            return len(self.history.get(area, ()))
        return len(self.reference.days)

    def _longer(
        self,
        area: str,
        lived: Lived,
        found: Found,
        judgement: Judgement,
    ) -> tuple[Profile, ...]:
        past = self.history.get(area, ())
        if judgement.level is Verdict.ACT or not found[0]:
            return past
        today = Profile(lived.day, {**found[1], **effects(found[0])}, {})
        return (*past, today)[-_HISTORY:]


def reference_of(days: Sequence[Lived], champion: Champion, tracks: int, seed: int) -> Reference:
    """The reference of quiet days lived under a champion; the first of them hold its first lists."""
    listens = pa.concat_tables([one.listens for one in days])
    head = head_tracks(listens)
    profiles = daily_profiles(listens, head)
    place = embedding.reference_of(listens, champion.vectors)
    first = days[0].lists
    return Reference(
        head,
        profiles,
        data_quality.calibration_of(listens, profiles, head, seed),
        place,
        embedding.calibration_of(place, champion.vectors, seed),
        champion.vectors,
        first.features,
        champion.gain,
        first.scores,
        tracks,
    )
