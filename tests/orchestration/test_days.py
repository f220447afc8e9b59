"""Which day an imported home lives next, and when a day counts as lived."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ml.errors import SegueError
from ml.lake.ingest import ingest_table
from ml.lake.store import Lake
from ml.tables import LISTENS
from monitoring.areas import AREAS
from orchestration.cli.rolling_back import version_before
from orchestration.days import lived_days, next_day
from orchestration.home import IMPORTED, Home, Source
from orchestration.resources import RegistryResource
from orchestration.settings import Settings, prepare_process

HELD = (date(2025, 3, 3), date(2025, 3, 5), date(2025, 3, 8))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def listen(day: date) -> dict[str, object]:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    row = dict.fromkeys(LISTENS.schema.names)
    return row | {
        "listen_id": f"l{day}",
        "user_id": "u",
        "track_id": "t",
        "played_at": at,
        "known_at": at,
        "surface": "home",
    }


@pytest.fixture
def unserved(settings: Settings) -> Home:
    """Three days of listens, a warehouse file and a bundle that was never promoted."""
    prepare_process(settings)
    rows = pa.Table.from_pylist([listen(day) for day in HELD], schema=LISTENS.schema)
    ingest_table(Lake(settings.home), "listens", rows, "test")
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("create schema intermediate")
        connection.execute(
            "create table intermediate.built_ranges as select 'features.users' as relation, "
            f"date '{HELD[0] + timedelta(days=1)}' as end_day"
        )
    bundle = settings.bundles / "v1"
    bundle.mkdir(parents=True)
    (bundle / "manifest.json").write_text("{}")
    RegistryResource().open().log_run("v1", {}, {}, {})
    return Home(HELD[0], HELD[-1], Source(IMPORTED, "canonical"), history_end=HELD[0])


@pytest.fixture
def home(unserved: Home) -> Home:
    """The same with the bundle serving."""
    RegistryResource().open().promote("v1", "first", NOW)
    return unserved


def report(settings: Settings, day: date, areas: tuple[str, ...]) -> None:
    folder = settings.reports / f"day={day}"
    folder.mkdir(parents=True, exist_ok=True)
    for area in areas:
        (folder / f"{area}.json").write_text("{}")


def test_the_next_day_is_the_first_with_data_after_the_history(
    settings: Settings, home: Home
) -> None:
    assert next_day(settings, home, NOW).day == HELD[1]


def test_a_day_whose_reports_are_not_all_written_is_asked_for_again(
    settings: Settings, home: Home
) -> None:
    report(settings, HELD[1], AREAS[:-1])
    assert lived_days(settings) == []
    assert next_day(settings, home, NOW).day == HELD[1]


def build_until(settings: Settings, day: date) -> None:
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("update intermediate.built_ranges set end_day = ?", [day])


def test_a_built_day_without_reports_is_asked_for_again(settings: Settings, home: Home) -> None:
    """A plain import, whose history has no end of its own: killed between its tables and its reports."""
    plain = replace(home, history_end=None)
    report(settings, HELD[0], AREAS)
    build_until(settings, HELD[1] + timedelta(days=1))
    assert next_day(settings, plain, NOW).day == HELD[1]


def test_a_plain_import_that_is_built_lives_its_last_day_first(
    settings: Settings, home: Home
) -> None:
    build_until(settings, HELD[2] + timedelta(days=1))
    assert next_day(settings, replace(home, history_end=None), NOW).day == HELD[2]


def test_a_lived_day_is_followed_by_the_next_one_and_the_last_by_none(
    settings: Settings, home: Home
) -> None:
    report(settings, HELD[1], AREAS)
    assert next_day(settings, home, NOW).day == HELD[2]
    report(settings, HELD[2], AREAS)
    found = next_day(settings, home, NOW)
    assert found.day is None
    assert "2025-03-08" in found.reason


def test_a_model_that_never_passed_the_gate_lives_no_day(
    settings: Settings, unserved: Home
) -> None:
    found = next_day(settings, unserved, NOW)
    assert found.day is None
    assert "segue run train" in found.reason


def test_a_rollback_goes_to_the_version_that_served_before(settings: Settings, home: Home) -> None:
    models = RegistryResource().open()
    for version in ("v2", "v3"):
        models.log_run(version, {}, {}, {})
        models.promote(version, "better", NOW)
    assert version_before(models, "") == ("v3", "v2")
    assert version_before(models, "v1") == ("v3", "v1")


def test_two_rollbacks_go_two_versions_back(settings: Settings, home: Home) -> None:
    models = RegistryResource().open()
    for version in ("v2", "v3"):
        models.log_run(version, {}, {}, {})
        models.promote(version, "better", NOW)
    for expected in ("v2", "v1"):
        earlier = version_before(models, "")[1]
        assert earlier == expected
        models.promote(earlier, "rolled back", NOW)
    with pytest.raises(SegueError, match="it is the first"):
        version_before(models, "")


def test_the_first_champion_has_nothing_to_go_back_to(settings: Settings, home: Home) -> None:
    with pytest.raises(SegueError, match="it is the first"):
        version_before(RegistryResource().open(), "")


def test_a_rollback_to_a_version_that_never_served_is_refused(
    settings: Settings, home: Home, tmp_path: Path
) -> None:
    models = RegistryResource().open()
    models.log_run("v9", {}, {}, {})
    with pytest.raises(SegueError, match="v9"):
        version_before(models, "v9")
