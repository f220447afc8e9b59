"""A day that is killed half-way and run again leaves what a day that was never killed leaves."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import numpy as np
import pyarrow as pa
import pytest

from ml.lake.store import Lake
from ml.serving.batch import read_recommendations, recommendations_path
from ml.tables import CANONICAL
from monitoring.reports import day_folder
from orchestration.schedules import daily_schedule
from orchestration.settings import Settings
from tests.orchestration.homes.conftest import DAY, instance_of, killed_when, segue

pytestmark = pytest.mark.e2e
DAILY = ("run", "daily", "--day", DAY.isoformat())


def asked(home: Path) -> str:
    """The day that the daily schedule of a home asks for now, or why it asks for none."""
    with (
        pytest.MonkeyPatch.context() as patch,
        instance_of(home) as instance,
        dg.build_schedule_context(
            instance=instance, scheduled_execution_time=datetime(2026, 1, 1, tzinfo=UTC)
        ) as context,
    ):
        patch.setenv("SEGUE_HOME", str(home))
        told = daily_schedule(context)
    return str(told.partition_key if isinstance(told, dg.RunRequest) else told.skip_message)


@dataclass
class Survivor:
    """A home whose daily run was killed twice and then let through, and what its schedule said."""

    home: Path
    under_way: str
    after_a_kill: str


@pytest.fixture(scope="module")
def survivor(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Survivor:
    """Killed while dbt writes to the warehouse, killed again once the lists are out, and let through."""
    home = Path(shutil.copytree(trained, tmp_path_factory.mktemp("killed") / "home"))
    settings = Settings(home)
    before = settings.warehouse.stat().st_mtime_ns
    log = settings.warehouse.with_name("warehouse.duckdb.wal")
    said: list[str] = []

    def writing() -> bool:
        if not log.exists() and settings.warehouse.stat().st_mtime_ns == before:
            return False
        said.append(asked(home))
        return True

    killed_when(home, writing, *DAILY)
    said.append(asked(home))
    killed_when(home, recommendations_path(settings.recommendations, DAY).exists, *DAILY)
    segue(home, *DAILY)
    return Survivor(home, *said)


def test_the_lists_equal_those_of_a_home_never_killed(survivor: Survivor, lived: Path) -> None:
    order = [("request_id", "ascending"), ("rank", "ascending")]
    ours, theirs = (
        read_recommendations(Settings(home).recommendations, DAY).sort_by(order)
        for home in (survivor.home, lived)
    )
    floats = [field.name for field in theirs.schema if pa.types.is_floating(field.type)]
    assert ours.drop(floats).equals(theirs.drop(floats))
    assert "score" in floats
    for name in floats:
        np.testing.assert_allclose(
            ours[name].to_numpy(), theirs[name].to_numpy(), rtol=0, atol=1e-9
        )


@pytest.mark.parametrize("table", sorted(CANONICAL))
def test_the_lake_holds_the_rows_of_a_home_never_killed(
    survivor: Survivor, lived: Path, table: str
) -> None:
    order = [(name, "ascending") for name in CANONICAL[table].key]
    ours, theirs = (Lake(home).read(table).sort_by(order) for home in (survivor.home, lived))
    assert ours.equals(theirs)


def test_the_day_has_its_five_reports_and_no_half_written_file(survivor: Survivor) -> None:
    folder = day_folder(Settings(survivor.home).reports, DAY)
    assert len(list(folder.glob("*.json"))) == 5
    assert len(list(folder.iterdir())) == 10


def test_every_killed_run_is_closed_as_failed(survivor: Survivor) -> None:
    with instance_of(survivor.home) as instance:
        runs = instance.get_runs(dg.RunsFilter(job_name="daily"))
        slots = instance.event_log_storage.get_concurrency_info("warehouse")
    told = [run.status.value for run in runs]
    assert told == ["SUCCESS", "FAILURE", "FAILURE"]
    assert slots.active_slot_count == 0


def test_no_other_day_is_asked_for_while_one_is_under_way(survivor: Survivor) -> None:
    assert survivor.under_way == "a daily run is under way"


def test_a_killed_day_is_asked_for_again(survivor: Survivor) -> None:
    assert survivor.after_a_kill == DAY.isoformat()
