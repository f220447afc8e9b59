"""What starts by itself: training when monitoring asks, an alert when a run fails.

Belongs here: sensors. Does not belong here: when training is wanted (monitoring.triggers) or how people
are told (orchestration.notify).
"""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from monitoring.reports import read_reports
from monitoring.review import Decision, Review, read_reviews
from monitoring.triggers import latest_retrain, retraining_wanted
from orchestration.decisions import WHY_TAG, answering, review_tags
from orchestration.jobs import TRAIN
from orchestration.notify import failure_text, notify
from orchestration.settings import Settings, load_settings


def last_training_day(settings: Settings) -> date | None:
    """Last data day of the latest training, promoted or not."""
    days = [
        date.fromisoformat(path.name.removeprefix("as_of="))
        for path in settings.training.glob("as_of=*")
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
    """Ask for a training once per reason; a review that has its training asks for no other."""
    settings = load_settings()
    reviews = [one for one in read_reviews(settings.reports) if not _answered(context, one)]
    since = last_training_day(settings)
    reason = retraining_wanted(read_reports(settings.reports), reviews, since)
    if reason is None:
        return dg.SkipReason("no report and no reviewer asks for a training")
    asking = latest_retrain(reviews, since)
    tags = review_tags(asking) if asking else {}
    return dg.RunRequest(run_key=f"train: {reason}", tags={**tags, WHY_TAG: reason})


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
    """Pass the failure on in the failed step's own words."""
    notify(
        load_settings(),
        at=datetime.now(UTC),
        title=f"{context.dagster_run.job_name} failed",
        # The run's own message only names the steps. A killed run has no failed step.
        text=failure_text(context.get_step_failure_events()) or context.failure_event.message or "",
    )


SENSORS = (train_when_monitoring_asks, tell_of_failed_runs)
