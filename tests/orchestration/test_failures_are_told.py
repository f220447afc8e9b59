"""A run that fails is told in log/alerts.jsonl in the failed step's own words, however it was started."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import dagster as dg
import pytest

from monitoring.areas import ReportTarget, Statistic, Verdict
from monitoring.reports import write_report
from orchestration.notify import State, failure_text, notify
from orchestration.review_job import launch_of
from orchestration.running import Launch, RunFailedError, execute
from orchestration.sensors import tell_of_failed_runs
from orchestration.settings import Settings, child_environment

OWN_WORDS = "expected the warehouse warehouse.duckdb, found none; run `segue run bootstrap`"


def alerts(settings: Settings) -> list[dict[str, str]]:
    return [json.loads(line) for line in settings.alerts.read_text().splitlines()]


@dataclass
class Failed:
    """A home where `train` was run with nothing to train on, and its Dagster instance."""

    settings: Settings
    instance: dg.DagsterInstance


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Failed]:
    settings = Settings(tmp_path_factory.mktemp("failed") / "home")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in child_environment(settings).items():
            patch.setenv(name, value)
        with pytest.raises(RunFailedError, match="expected the warehouse"):
            execute(settings, Launch("train"))
        with dg.DagsterInstance.get() as instance:
            yield Failed(settings, instance)


def test_the_command_line_tells_the_steps_own_words(failed: Failed) -> None:
    alert = alerts(failed.settings)[0]
    assert alert["title"] == "train failed"
    assert alert["text"].startswith("embeddings__track_documents: ")
    assert OWN_WORDS in alert["text"]


def test_the_run_stands_in_the_list_of_runs_as_failed(failed: Failed) -> None:
    [run] = failed.instance.get_runs()
    assert (run.job_name, run.status) == ("train", dg.DagsterRunStatus.FAILURE)


def tick(failed: Failed) -> None:
    """The failure sensor meets the run."""
    [run] = failed.instance.get_runs()
    kind = dg.DagsterEventType.RUN_FAILURE
    [record] = failed.instance.get_records_for_run(run.run_id, of_type=kind).records
    tell_of_failed_runs(
        dg.build_run_status_sensor_context(
            sensor_name="tell_of_failed_runs",
            dagster_event=record.event_log_entry.get_dagster_event(),
            dagster_instance=failed.instance,
            dagster_run=run,
        ).for_run_failure()
    )


def test_the_sensor_tells_what_the_command_line_tells_and_tells_it_once(failed: Failed) -> None:
    [by_command] = alerts(failed.settings)
    failed.settings.alerts.unlink()
    tick(failed)
    tick(failed)
    # Twice where midnight lies between the two: the same words on another day are told again.
    for by_sensor in alerts(failed.settings):
        assert by_sensor["title"] == by_command["title"]
        assert by_sensor["text"] == by_command["text"]
    assert len({one["finding"] for one in alerts(failed.settings)}) == len(alerts(failed.settings))


def test_a_run_that_ends_well_sends_again_what_no_address_took(
    failed: Failed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An address that is not understood takes nothing: each attempt leaves a line.
    monkeypatch.setenv("SEGUE_ALERTS", "no-address")
    day, settings = date(2026, 3, 10), failed.settings
    kept_alerts = settings.alerts.read_text()
    at = datetime(2026, 3, 11, 9, tzinfo=UTC)
    assert notify(settings, at=at, title="one", text="two", finding="one") is State.NOT_SENT
    quiet = Statistic("shift", 0.0, 1.0, "score_drift", Verdict.OK, "", 1.0, 1.0)
    write_report("score_drift", day, None, [quiet], ReportTarget(settings.reports, None, "m1"))
    run_id = execute(settings, launch_of(day, "score_drift", "keep", "a holiday", "ada", {}))
    attempts = [one["state"] for one in alerts(settings) if one["finding"] == "one"]
    settings.alerts.write_text(kept_alerts)
    failed.instance.delete_run(run_id)
    assert attempts == ["not sent", "not sent"]


def test_the_sensor_runs_without_being_turned_on() -> None:
    assert tell_of_failed_runs.default_status is dg.DefaultSensorStatus.RUNNING


def test_a_failure_that_a_step_declares_is_told_with_its_description() -> None:
    @dg.op
    def build() -> None:
        raise dg.Failure("unique_key_users: Got 3 results", allow_retries=False)

    @dg.job
    def nightly() -> None:
        build()

    result = nightly.execute_in_process(raise_on_error=False)
    assert failure_text(result.all_events) == "build: unique_key_users: Got 3 results"


def test_a_run_without_a_failed_step_has_no_words_of_its_own() -> None:
    assert failure_text([]) == ""
