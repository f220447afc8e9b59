"""What the five reports of a day read.

Belongs here: gathering tables, profiles and the champion's reference. Does not belong here: judging
(monitoring).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import feather

from ml.registry.bundle import read_manifest
from ml.serving.batch import recommendations_path
from ml.state.day_facts import listens_between, main_genres
from monitoring.areas import ReportTarget
from monitoring.calibration import Calibration, facts, kept
from monitoring.measures import Panel
from monitoring.plays import Vectors
from monitoring.reports import history
from monitoring.score_calibration import meaning_of
from orchestration.resources import RegistryResource
from orchestration.settings import Settings
from orchestration.warehouse_facts import built_until

# Weekdays are compared with their like from two weeks on; four give each weekday four days.
REFERENCE_PERIODS = 28
# Of the listeners drawn anew at calibration.
CALIBRATION_SEED = 0


@dataclass(frozen=True, slots=True)
class Watched:
    """A day (or the month of a home dated so) that is over before `end`, the bundle in force and where
    reports go. `bundle` is None before the first champion."""

    day: date
    end: date
    settings: Settings
    bundle: Path | None

    @property
    def target(self) -> ReportTarget:
        """Where reports go."""
        version = self.bundle.name if self.bundle else None
        return ReportTarget(
            self.settings.reports, self.settings.evidently, version, self.day.toordinal()
        )

    @property
    def made_on(self) -> date:
        """The day at whose end lists are made from the day's state."""
        return self.end - timedelta(days=1)

    @property
    def reference(self) -> tuple[date, date]:
        """[start, end): the weeks before the champion's as_of, before the day without a champion."""
        end = self.day
        if self.bundle is not None:
            end = min(end, date.fromisoformat(read_manifest(self.bundle).facts.as_of))
        return end - REFERENCE_PERIODS * (self.end - self.day), end

    def listens(self, connection: duckdb.DuckDBPyConnection) -> tuple[pa.Table, pa.Table]:
        """(the day's, the reference's) listens."""
        today = listens_between(connection, self.day, self.end)
        return today, listens_between(connection, *self.reference)

    def calibration(self, panel: Panel, make: Callable[[int], Calibration]) -> Calibration | None:
        """An area's scales and limits, computed once for a champion from its reference weeks (`make` gets
        the seed) and kept beside it in artifacts/monitoring; None without a champion."""
        if self.bundle is None:
            return None
        path = self.settings.artifacts / "monitoring" / self.bundle.name / f"{panel.area}.json"
        known = facts(panel, self.reference, CALIBRATION_SEED)
        return kept(path, known, lambda: make(CALIBRATION_SEED))

    def vectors(self, connection: duckdb.DuckDBPyConnection) -> Vectors:
        """The champion's text vectors; none where there is no text or no champion."""
        path = self.bundle / "vectors.npy" if self.bundle else None
        if self.bundle is None or path is None or not path.is_file():
            return Vectors((), np.zeros((0, 1), np.float32), {})
        track_ids = pq.read_table(self.bundle / "tracks.parquet")["track_id"].to_pylist()
        values = np.load(path, allow_pickle=False)[: len(track_ids)]
        return Vectors(track_ids, values, main_genres(connection, self.day))

    def open_until(self, connection: duckdb.DuckDBPyConnection) -> date | None:
        """When the day's labels are all known, where the warehouse does not hold them yet; else None.

        A list's outcomes are the streams known by the end of its day: what arrives later changes no label.
        """
        built = built_until(connection).get("marts.outcomes", date.min)
        return self.end if built < self.end else None

    def meaning_of_scores(
        self, connection: duckdb.DuckDBPyConnection, outcomes: pa.Table
    ) -> dict[str, float]:
        """Calibration and skew of the champion's scores, from what became of its lists on the day and
        what serving logged; empty without a champion."""
        reference = self.reference_scores()
        if self.bundle is None or reference is None:
            return {}
        shown = connection.query(
            "select request_id, track_id, score from staging.impressions "
            "where known_on >= $start and known_on < $end order by request_id, position",
            params={"start": self.day, "end": self.end},
        ).to_arrow_table()
        version = self.bundle.name
        lists = outcomes.filter(pc.equal(outcomes["model_version"], version))
        past = history(self.settings.reports, "ranking_quality", self.day, version)
        return meaning_of(lists, shown, reference["score"].to_numpy().astype(np.float64), past)

    def reference_scores(self) -> pa.Table | None:
        """rank and score of the champion's lists on its own first day."""
        if self.bundle is None:
            return None
        return pq.read_table(self.bundle / "reference" / "scores.parquet")

    def reference_features(self) -> pa.Table | None:
        """Sampled ranker inputs of those lists."""
        if self.bundle is None:
            return None
        return feather.read_table(self.bundle / "reference" / "features.arrow")

    def gain(self) -> dict[str, float]:
        """Share of gain of the Home ranker's features; empty without a ranker."""
        if self.bundle is None:
            return {}
        stored = json.loads((self.bundle / "reference" / "home_gain.json").read_text())
        return {name: float(share) for name, share in stored.items()}


def watched(settings: Settings, registry: RegistryResource, period: tuple[date, date]) -> Watched:
    """The period [start, end) with the model that made its lists; the champion where they are not made
    yet, are of more than one model, or their bundle is gone."""
    champion = registry.open().champion()
    if champion is None:
        return Watched(*period, settings, None)
    made = _version_of_lists(settings, period[1] - timedelta(days=1))
    version = made if made and (settings.bundles / made).is_dir() else champion
    return Watched(*period, settings, settings.bundles / version)


def _version_of_lists(settings: Settings, made_on: date) -> str | None:
    path = recommendations_path(settings.recommendations, made_on)
    if not path.is_file():
        return None
    versions = pq.read_table(path, columns=["model_version"], partitioning=None)["model_version"]
    found: list[str] = pc.unique(versions).to_pylist()
    return found[0] if len(found) == 1 else None
