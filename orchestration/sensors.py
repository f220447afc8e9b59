"""What starts by itself: training when monitoring asks, an alert when a run fails, what no address took.

Belongs here: sensors. Does not belong here: when training is wanted (monitoring.triggers) or how people
are told (orchestration.notify).
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from monitoring.reports import read_reports
from monitoring.review import Decision, Review, read_reviews
from monitoring.triggers import latest_retrain, retraining_wanted
from orchestration.decisions import WHY_TAG, answering, review_tags
from orchestration.full_disk import advised
from orchestration.jobs import TRAIN
from orchestration.notify import failure_text, notify, send_again, waiting
from orchestration.settings import Settings, load_settings

# A training that fails as often for one reason needs a person, not another attempt.
MOST_ATTEMPTS = 3
# The last day that had a report when a training was asked for.
REPORTS_TAG = "segue/reports_until"


def last_training_day(settings: Settings) -> date | None:
    """Last data day of the latest training that came to a decision, promoted or not."""
    days = [
        date.fromisoformat(path.parents[1].name.removeprefix("as_of="))
        for path in settings.training.glob("as_of=*/evaluation/decision.json")
    ]
    return max(days) - timedelta(days=1) if days else None


@dg.sensor(
    name="train_when_monitoring_asks",
    job=TRAIN,
    minimum_interval_seconds=60,
    description="Starts a training when reports or a reviewer ask for one.",
)
def train_when_monitoring_asks(
    context: dg.SensorEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """Ask for a training once per reason, again where it failed, at most three times in all until a later
    report asks; a review that has its training asks for no other."""
    settings = load_settings()
    reports, reviews = read_reports(settings.reports), read_reviews(settings.reports)
    answered = {one.review_id for one in reviews if _answered(context, one)}
    since = last_training_day(settings)
    last = max((one.day for one in reports), default=date.min)
    given_up = ""
    while (reason := retraining_wanted(reports, reviews, since, answered)) is not None:
        asking = latest_retrain([one for one in reviews if one.review_id not in answered], since)
        failed = _failed(context.instance, reason)
        if len(failed) < MOST_ATTEMPTS:
            tags = {**(review_tags(asking) if asking else {}), REPORTS_TAG: last.isoformat()}
            # Dagster starts a run key once, whatever became of its run.
            key = f"train: {reason}" + (f" (attempt {len(failed) + 1})" if failed else "")
            return dg.RunRequest(run_key=key, tags={**tags, WHY_TAG: reason})
        given_up = f"{len(failed)} trainings failed; run `segue run train` ({reason})"
        if asking is not None:
            answered.add(asking.review_id)
        else:
            tried = _reports_known(failed, last)
            reports = [one for one in reports if one.day > tried]
    return dg.SkipReason(given_up or "no report and no reviewer asks for a training")


def _failed(instance: dg.DagsterInstance, reason: str) -> list[dg.DagsterRun]:
    """The trainings for this reason that failed or were cancelled: Dagster starts none of their keys again."""
    failure = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    wanted = dg.RunsFilter(job_name=TRAIN.name, tags={WHY_TAG: reason}, statuses=failure)
    return list(instance.get_runs(wanted))


def _reports_known(failed: Sequence[dg.DagsterRun], last: date) -> date:
    """The last day that had a report when the latest of the trainings was asked for (`last`, where none says):
    later ones say something new, and the day's data may have mended what made it fail."""
    told = (run.tags[REPORTS_TAG] for run in failed if REPORTS_TAG in run.tags)
    return max((date.fromisoformat(day) for day in told), default=last)


def _answered(context: dg.SensorEvaluationContext, review: Review) -> bool:
    """Whether a training stands, runs or waits in the review's name, or the review itself still runs."""
    if review.decision is not Decision.RETRAIN:
        return False
    return answering(context.instance, review) is not None


@dg.run_failure_sensor(
    name="tell_of_failed_runs",
    description="Writes an alert for every run that fails.",
    # A failure must not go untold because nobody had turned its alert on.
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def tell_of_failed_runs(context: dg.RunFailureSensorContext) -> None:
    """Pass the failure on in the failed step's own words, and what to do about a full disk."""
    settings, run = load_settings(), context.dagster_run
    # The run's own message only names the steps. A killed run has no failed step.
    text = failure_text(context.get_step_failure_events()) or context.failure_event.message or ""
    day = run.tags.get("dagster/partition")
    command = f"segue run {run.job_name}" + (f" --day {day}" if day else "")
    notify(
        settings,
        at=datetime.now(UTC),
        title=f"{run.job_name} failed",
        text=advised(text, settings.home, command),
    )


@dg.sensor(
    name="send_waiting_alerts",
    minimum_interval_seconds=300,
    description="Sends again what no address of SEGUE_ALERTS took, until one takes it.",
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def send_waiting_alerts() -> dg.SkipReason:
    """Runs of the daemon end without the command line, which sends again by itself."""
    settings = load_settings()
    sent = send_again(settings, datetime.now(UTC))
    return dg.SkipReason(f"{sent} alerts sent, {waiting(settings)} still wait")


SENSORS = (train_when_monitoring_asks, tell_of_failed_runs, send_waiting_alerts)
