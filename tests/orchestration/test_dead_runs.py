"""A run whose process is gone is closed, so that it holds neither a pool nor the schedule."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import pytest

from orchestration.running import Launch, clear_dead_runs
from orchestration.schedules import daily_schedule
from orchestration.settings import Settings

UNDER_WAY = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


@pytest.fixture(scope="module")
def gone() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def run_of(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus, tags: dict[str, str]
) -> dg.DagsterRun:
    run = dg.DagsterRun(job_name="daily", status=status, tags=tags)
    return instance.add_run(run)


def status_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    return instance.get_run_by_id(run.run_id).status


def answer(instance: dg.DagsterInstance) -> str:
    """Why the daily schedule of a home that does not exist skips."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=at) as context:
        return str(daily_schedule(context).skip_message)


@pytest.mark.parametrize("status", UNDER_WAY)
def test_a_run_of_a_process_that_is_gone_is_closed_as_failed(
    instance: dg.DagsterInstance, gone: int, status: dg.DagsterRunStatus
) -> None:
    run = run_of(instance, status, {"segue/pid": str(gone)})
    assert clear_dead_runs(instance) == 1
    assert status_of(instance, run) is dg.DagsterRunStatus.FAILURE


def test_a_run_of_a_living_process_is_left_alone(instance: dg.DagsterInstance) -> None:
    mine = run_of(instance, dg.DagsterRunStatus.STARTED, Launch("daily").tags())
    other = run_of(instance, dg.DagsterRunStatus.STARTED, {"segue/pid": str(os.getppid())})
    assert clear_dead_runs(instance) == 0
    assert {status_of(instance, run) for run in (mine, other)} == {dg.DagsterRunStatus.STARTED}


def test_a_run_that_the_ui_launched_is_known_by_the_process_its_launcher_names(
    instance: dg.DagsterInstance, gone: int
) -> None:
    from dagster._core.events import EngineEventData

    dead = run_of(instance, dg.DagsterRunStatus.STARTED, {})
    alive = run_of(instance, dg.DagsterRunStatus.STARTED, {})
    for run, pid in ((dead, gone), (alive, os.getppid())):
        instance.report_engine_event("Started process", run, EngineEventData.in_process(pid))
    assert clear_dead_runs(instance) == 1
    assert status_of(instance, dead) is dg.DagsterRunStatus.FAILURE
    assert status_of(instance, alive) is dg.DagsterRunStatus.STARTED


def test_a_run_that_no_process_has_taken_up_yet_is_left_alone(
    instance: dg.DagsterInstance,
) -> None:
    run = run_of(instance, dg.DagsterRunStatus.NOT_STARTED, {})
    assert clear_dead_runs(instance) == 0
    assert status_of(instance, run) is dg.DagsterRunStatus.NOT_STARTED


def test_the_schedule_waits_for_a_run_under_way(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    run_of(instance, dg.DagsterRunStatus.STARTED, Launch("daily").tags())
    assert answer(instance) == "a daily run is under way"


def test_the_schedule_does_not_wait_for_a_killed_run(
    instance: dg.DagsterInstance, settings: Settings, gone: int
) -> None:
    run_of(instance, dg.DagsterRunStatus.STARTED, {"segue/pid": str(gone)})
    assert "found no home.json" in answer(instance)
