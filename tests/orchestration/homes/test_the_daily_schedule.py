"""The daily schedule of a home that has no next day says why."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from orchestration.home import read_home, write_home
from orchestration.schedules import daily_schedule
from orchestration.settings import Settings
from tests.orchestration.homes.conftest import DAY

pytestmark = pytest.mark.e2e


@pytest.fixture
def context() -> Iterator[dg.ScheduleEvaluationContext]:
    """A tick on an instance without runs."""
    with (
        dg.instance_for_test() as instance,
        dg.build_schedule_context(
            instance=instance, scheduled_execution_time=datetime(2026, 1, 1, tzinfo=UTC)
        ) as made,
    ):
        yield made


def skipped(home: Path, context: dg.ScheduleEvaluationContext) -> str:
    """Why the schedule of a home skips."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEGUE_HOME", str(home))
        told = daily_schedule(context)
    assert isinstance(told, dg.SkipReason)
    return str(told.skip_message)


def test_without_a_home_it_names_the_commands_that_begin_one(
    tmp_path: Path, context: dg.ScheduleEvaluationContext
) -> None:
    assert "segue simulate" in skipped(tmp_path, context)


def test_without_a_model_it_names_the_training(
    bootstrapped: Path, context: dg.ScheduleEvaluationContext
) -> None:
    assert skipped(bootstrapped, context) == "no model serves yet: run `segue run train`"


def test_at_the_end_of_the_world_it_says_so(
    lived: Path, tmp_path: Path, context: dg.ScheduleEvaluationContext
) -> None:
    """The same home with no day after the one it has lived."""
    for part in ("lake", "artifacts", "warehouse.duckdb", "mlflow", "reports"):
        (tmp_path / part).symlink_to(lived / part)
    ended = replace(read_home(Settings(lived)), last_day=DAY)
    write_home(Settings(tmp_path), ended)
    assert skipped(tmp_path, context) == "the simulated world ends on 2025-03-13"
