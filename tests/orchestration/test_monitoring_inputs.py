"""What the reports read: closed windows, and limits kept beside the champion."""

import json
from datetime import UTC, date, datetime

import duckdb
import pyarrow as pa
import pytest

from ml.registry.bundle import BundleFacts, write_bundle
from ml.serving.batch import publish_recommendations
from ml.tables import RECOMMENDATIONS
from monitoring.calibration import Calibration
from monitoring.measures import DATA_QUALITY
from monitoring.thresholds import Limits
from orchestration.defs.monitoring.inputs import CALIBRATION_SEED, Watched, watched
from orchestration.resources import RegistryResource
from orchestration.settings import Settings

DAY, END = date(2026, 3, 30), date(2026, 3, 31)


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    """A warehouse that knows outcomes until the day before DAY is over."""
    found = duckdb.connect()
    found.execute("create schema intermediate")
    found.execute("create table intermediate.built_ranges (relation varchar, end_day date)")
    found.execute("insert into intermediate.built_ranges values ('marts.outcomes', ?)", [DAY])
    return found


def test_a_window_whose_outcomes_are_not_built_is_open_until_its_end(
    settings: Settings, connection: duckdb.DuckDBPyConnection
) -> None:
    on = Watched(DAY, END, settings, None)
    assert on.open_until(connection) == END
    connection.execute("update intermediate.built_ranges set end_day = ?", [END])
    assert on.open_until(connection) is None


def calibration(seeds: list[int], seed: int) -> Calibration:
    seeds.append(seed)
    return Calibration({"listens": 0.3}, Limits(), 28, 224)


def test_without_a_champion_nothing_is_kept(settings: Settings) -> None:
    on = Watched(DAY, END, settings, None)
    assert on.calibration(DATA_QUALITY, lambda seed: calibration([], seed)) is None


def test_limits_are_computed_once_for_a_champion_and_lie_beside_it(settings: Settings) -> None:
    facts = BundleFacts("2026-03-29", 7, "0.1.0", {}, {}, {}, {})
    version = write_bundle(settings.bundles, lambda folder: None, facts)
    bundle = settings.bundles / version
    seeds: list[int] = []
    for _ in range(2):
        Watched(DAY, END, settings, bundle).calibration(
            DATA_QUALITY, lambda seed: calibration(seeds, seed)
        )
    assert seeds == [CALIBRATION_SEED]
    path = settings.artifacts / "monitoring" / version / "data_quality.json"
    kept = json.loads(path.read_text())
    assert kept["facts"]["reference"] == ["2026-03-01", "2026-03-29"]


def listed(settings: Settings, *versions: str) -> None:
    """A list of one track of each model, made at the end of DAY."""
    values = {
        "request_id": "home-u1",
        "surface": "home",
        "rank": 1,
        "track_id": "t1",
        "score": 0.5,
        "propensity": 1.0,
        "sources": [],
        "reasons": [],
        "state_day": DAY,
    }
    rows = [values | {"model_version": one} for one in versions]
    lists = pa.Table.from_pylist(rows, schema=RECOMMENDATIONS.schema)
    publish_recommendations(settings.recommendations, DAY, lists, END)


def test_a_day_is_judged_by_the_model_that_made_its_lists_whatever_serves_today(
    settings: Settings,
) -> None:
    registry = RegistryResource()
    assert watched(settings, registry, (DAY, END)).bundle is None
    facts = [BundleFacts("2026-03-01", seed, "0.1.0", {}, {}, {}, {}) for seed in (1, 2)]
    then, now = (write_bundle(settings.bundles, lambda folder: None, one) for one in facts)
    registry.open().log_run(now, {"seed": 2}, {}, {})
    registry.open().promote(now, "passed the gate", datetime(2026, 4, 9, tzinfo=UTC))

    def judged_by() -> str | None:
        return watched(settings, registry, (DAY, END)).target.model_version

    assert judged_by() == now
    listed(settings, then)
    assert judged_by() == then
    listed(settings, then, now)
    assert judged_by() == now
    listed(settings, "a bundle that was removed")
    assert judged_by() == now
