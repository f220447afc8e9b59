"""The sensor starts a training when monitoring or a reviewer asks, once a reason."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from monitoring.areas import ReportTarget, Statistic, Verdict
from monitoring.reports import write_report
from monitoring.review import record_review
from orchestration.sensors import last_training_day, train_when_monitoring_asks
from orchestration.settings import Settings

DAY = date(2026, 3, 10)
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def tick() -> Iterator[dg.SensorEvaluationContext]:
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance) as context,
    ):
        yield context


def reported(settings: Settings, day: date, verdict: Verdict, area: str = "score_drift") -> None:
    """A report of one measure with the verdict."""
    statistic = Statistic("shift", 1.0, 0.5, area, verdict, "the scores moved", 1.0, 0.0)
    write_report(area, day, None, [statistic], ReportTarget(settings.reports, None, "aaa"))


def trained(settings: Settings, as_of: date) -> None:
    """A training that came to a decision."""
    evaluation = settings.training / f"as_of={as_of}" / "evaluation"
    evaluation.mkdir(parents=True)
    (evaluation / "decision.json").write_text("{}")


def asked(tick: dg.SensorEvaluationContext) -> dg.RunRequest:
    told = train_when_monitoring_asks(tick)
    assert isinstance(told, dg.RunRequest)
    return told


def failed(tick: dg.SensorEvaluationContext, tags: Mapping[str, str]) -> None:
    """A training with these tags that failed."""
    tick.instance.add_run(
        dg.DagsterRun("train", tags=dict(tags), status=dg.DagsterRunStatus.FAILURE)
    )


def skipped(tick: dg.SensorEvaluationContext) -> bool:
    return isinstance(train_when_monitoring_asks(tick), dg.SkipReason)


def test_a_home_without_reports_asks_for_nothing(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    told = train_when_monitoring_asks(tick)
    assert isinstance(told, dg.SkipReason)
    assert told.skip_message == "no report and no reviewer asks for a training"


def test_a_day_to_look_at_asks_for_nothing(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.WATCH)
    assert skipped(tick)


def test_a_day_that_asks_for_a_decision_asks_for_a_training_and_says_why(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.WATCH)
    reported(settings, NEXT, Verdict.ACT)
    assert asked(tick).tags["segue/why"] == "Score drift of 2026-03-11 said act"


def test_the_same_reason_has_the_same_run_key_so_that_dagster_starts_it_once(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.ACT)
    reported(settings, NEXT, Verdict.ACT)
    first = asked(tick).run_key
    reported(settings, NEXT, Verdict.ACT, "data_quality")
    reported(settings, NEXT + timedelta(days=1), Verdict.ACT)
    assert asked(tick).run_key == first


def test_another_reason_has_another_run_key(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.ACT)
    reported(settings, NEXT, Verdict.ACT)
    first = asked(tick).run_key
    at = datetime(2026, 3, 12, 9, tzinfo=UTC)
    record_review(settings.reports, NEXT, "score_drift", "retrain", "it moved", "ada", at)
    second = asked(tick)
    assert second.run_key != first
    assert second.tags["segue/why"] == "ada decided to retrain after score_drift of 2026-03-11"


def test_a_training_on_those_days_answers_the_reason(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.ACT)
    reported(settings, NEXT, Verdict.ACT)
    trained(settings, NEXT)
    assert last_training_day(settings) == DAY
    assert skipped(tick)


def test_a_new_model_is_given_three_days_before_reports_ask_for_the_next(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    trained(settings, NEXT)
    reported(settings, DAY + timedelta(days=2), Verdict.ACT)
    assert skipped(tick)
    reported(settings, DAY + timedelta(days=3), Verdict.ACT)
    assert asked(tick).run_key == "train: Score drift of 2026-03-13 said act"


def test_a_training_from_before_them_does_not(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.ACT)
    trained(settings, DAY - timedelta(days=2))
    assert asked(tick).run_key.startswith("train: Score drift")


def test_a_training_that_came_to_no_decision_answers_nothing(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.ACT)
    reported(settings, NEXT, Verdict.ACT)
    (settings.training / f"as_of={NEXT}" / "evaluation").mkdir(parents=True)
    assert last_training_day(settings) is None
    assert asked(tick).run_key.startswith("train: Score drift")


def test_a_failed_training_is_asked_for_again_and_at_most_three_times(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.ACT)
    reported(settings, NEXT, Verdict.ACT)
    keys = []
    for _ in range(3):
        request = asked(tick)
        keys.append(request.run_key)
        failed(tick, request.tags)
    assert len(set(keys)) == 3
    told = train_when_monitoring_asks(tick)
    assert isinstance(told, dg.SkipReason)
    assert "3 trainings failed; run `segue run train`" in str(told.skip_message)


def test_a_report_later_than_the_failed_attempts_asks_anew(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.ACT)
    reported(settings, NEXT, Verdict.ACT)
    for _ in range(3):
        tags = asked(tick).tags
        failed(tick, tags)
    assert skipped(tick)
    reported(settings, NEXT + timedelta(days=1), Verdict.ACT)
    assert asked(tick).tags["segue/why"] == "Score drift of 2026-03-12 said act"


def test_failed_attempts_that_do_not_say_what_was_known_wait_for_a_report_to_come(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.ACT)
    tags = {"segue/why": asked(tick).tags["segue/why"]}
    for _ in range(3):
        failed(tick, tags)
    assert skipped(tick)


def test_a_review_whose_trainings_failed_leaves_the_word_to_the_reports(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.ACT)
    at = datetime(2026, 3, 12, 9, tzinfo=UTC)
    reported(settings, DAY, Verdict.ACT, "feature_drift")
    record_review(settings.reports, DAY, "feature_drift", "retrain", "it moved", "ada", at)
    for _ in range(3):
        tags = asked(tick).tags
        assert tags["segue/why"].startswith("ada decided to retrain")
        failed(tick, tags)
    assert asked(tick).tags["segue/why"] == "Score drift of 2026-03-10 said act"


def test_a_cancelled_training_is_asked_for_again(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.ACT)
    first = asked(tick)
    cancelled = dg.DagsterRun("train", tags=first.tags, status=dg.DagsterRunStatus.CANCELED)
    tick.instance.add_run(cancelled)
    assert asked(tick).run_key != first.run_key


def test_a_failed_training_for_another_reason_takes_no_attempt(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.ACT)
    reported(settings, NEXT, Verdict.ACT)
    first = asked(tick).run_key
    failed(tick, {"segue/why": "another"})
    assert asked(tick).run_key == first


def test_a_fault_in_the_data_asks_for_no_training(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.ACT, "data_quality")
    reported(settings, NEXT, Verdict.ACT, "data_quality")
    assert skipped(tick)


def test_a_day_that_a_reviewer_keeps_does_not_count(
    settings: Settings, tick: dg.SensorEvaluationContext
) -> None:
    reported(settings, DAY, Verdict.ACT)
    at = datetime(2026, 3, 12, 9, tzinfo=UTC)
    record_review(settings.reports, DAY, "score_drift", "keep", "a holiday", "ada", at)
    assert skipped(tick)
