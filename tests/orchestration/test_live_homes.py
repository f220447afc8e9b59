"""A home that lives by the calendar: begun by an import, asked for every day that is over."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.errors import SegueError
from ml.tables import LISTENS
from monitoring.areas import AREAS
from orchestration.beginning import begin_imported
from orchestration.days import next_day
from orchestration.home import LIVE, Home, read_home
from orchestration.partitions import day_partitions
from orchestration.resources import RegistryResource
from orchestration.schedules import daily_schedule, rhythm
from orchestration.settings import Settings, prepare_process

TODAY = date(2026, 3, 10)
MORNING = datetime.combine(TODAY, time(4, 30), UTC)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A canonical folder whose last listen is from a week before today."""
    at = MORNING - timedelta(days=7)
    row = dict.fromkeys(LISTENS.schema.names) | {
        "listen_id": "l1",
        "user_id": "u",
        "track_id": "t",
        "played_at": at,
        "known_at": at,
        "surface": "home",
    }
    folder = tmp_path / "files"
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist([row], schema=LISTENS.schema), folder / "listens.parquet")
    return folder


@pytest.fixture
def home(settings: Settings, files: Path) -> Home:
    """A live home begun today, with its history built and a champion."""
    begin_imported(settings, "canonical", files, {}, live_from=TODAY)
    prepare_process(settings)
    settings.warehouse.touch()
    (settings.bundles / "v1").mkdir(parents=True)
    (settings.bundles / "v1" / "manifest.json").write_text("{}")
    RegistryResource().open().log_run("v1", {}, {}, {})
    RegistryResource().open().promote("v1", "first", MORNING)
    return read_home(settings)


def lived(settings: Settings, day: date) -> None:
    folder = settings.reports / f"day={day}"
    folder.mkdir(parents=True)
    for area in AREAS:
        (folder / f"{area}.json").write_text("{}")


def test_its_history_ends_yesterday_and_its_days_do_not_end(home: Home) -> None:
    assert (home.source.kind, home.last_day) == (LIVE, None)
    assert home.bootstrap_end == TODAY - timedelta(days=1)
    assert day_partitions().end is None


def test_it_is_asked_every_hour_and_a_replayed_one_every_minute(
    settings: Settings, files: Path
) -> None:
    begin_imported(settings, "canonical", files, {})
    assert rhythm() == "* * * * *"
    settings.home_file.unlink()
    begin_imported(settings, "canonical", files, {}, live_from=TODAY)
    assert rhythm() == "30 4-23 * * *"


def test_on_the_morning_it_begins_nothing_is_waiting(settings: Settings, home: Home) -> None:
    coming = next_day(settings, home, MORNING)
    assert (coming.day, coming.reason) == (None, "every day up to 2026-03-09 is lived")


def test_the_next_morning_asks_for_yesterday(settings: Settings, home: Home) -> None:
    coming = next_day(settings, home, MORNING + timedelta(days=1))
    assert (coming.day, coming.reason) == (TODAY, "yesterday")


def test_after_mornings_without_segue_the_schedule_asks_for_the_missed_days_one_by_one(
    settings: Settings, home: Home
) -> None:
    lived(settings, TODAY)
    later = MORNING + timedelta(days=4)
    asked = []
    with (
        dg.instance_for_test() as instance,
        dg.build_schedule_context(instance=instance, scheduled_execution_time=later) as tick,
    ):
        for _ in range(3):
            request = daily_schedule(tick)
            asked.append(date.fromisoformat(request.partition_key))
            lived(settings, asked[-1])
        told = daily_schedule(tick)
    assert asked == [TODAY + timedelta(days=n) for n in (1, 2, 3)]
    assert isinstance(told, dg.SkipReason)


def test_another_import_leaves_the_home_live(settings: Settings, home: Home, files: Path) -> None:
    begin_imported(settings, "canonical", files, {}, live_from=TODAY + timedelta(days=3))
    again = read_home(settings)
    assert (again.source.kind, again.last_day, again.history_end) == (
        LIVE,
        None,
        home.history_end,
    )


def test_a_home_that_replays_an_import_does_not_become_live(
    settings: Settings, files: Path
) -> None:
    begin_imported(settings, "canonical", files, {})
    with pytest.raises(SegueError, match="found one that replays an import"):
        begin_imported(settings, "canonical", files, {}, live_from=TODAY)
