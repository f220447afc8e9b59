"""When jobs run: every day, every week.

Belongs here: schedules. Does not belong here: which day comes next (orchestration.days).
"""

import dagster as dg

from orchestration.days import next_day
from orchestration.home import LIVE, HomeError, read_home
from orchestration.jobs import DAILY, TRAIN
from orchestration.running import clear_dead_runs
from orchestration.settings import load_settings

# Every hour from 4:30 on: a day that failed is tried again, and after an outage the missed days follow one
# another, each when the one before it stands.
_LIVE_RHYTHM = "30 4-23 * * *"
# A replayed or simulated home has no clock of its own: a tick a minute lives a day a minute.
_REPLAY_RHYTHM = "* * * * *"
_UNDER_WAY = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
)


def rhythm() -> str:
    """Cron of the daily schedule: a live home's every morning, another's every minute."""
    settings = load_settings()
    if not settings.home_file.is_file():
        return _LIVE_RHYTHM
    return _LIVE_RHYTHM if read_home(settings).source.kind == LIVE else _REPLAY_RHYTHM


@dg.schedule(
    name="daily",
    job=DAILY,
    cron_schedule=rhythm(),
    execution_timezone="UTC",
    description="Live homes: the next day up to yesterday, every hour from 4:30 UTC. Others: the next day, every minute.",
)
def daily_schedule(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """Ask for the next day, or say why there is none."""
    settings = load_settings()
    # A killed run would be under way for ever, and no day would be asked for again.
    clear_dead_runs(context.instance)
    under_way = context.instance.get_runs(
        dg.RunsFilter(job_name=DAILY.name, statuses=list(_UNDER_WAY)), limit=1
    )
    if under_way:
        return dg.SkipReason("a daily run is under way")
    try:
        coming = next_day(settings, read_home(settings), context.scheduled_execution_time)
    except HomeError as error:
        return dg.SkipReason(str(error))
    if coming.day is None:
        return dg.SkipReason(coming.reason)
    # No run key: a day that failed is asked for again.
    return dg.RunRequest(partition_key=coming.day.isoformat(), tags={"segue/why": coming.reason})


weekly_training = dg.ScheduleDefinition(
    name="weekly_training",
    job=TRAIN,
    cron_schedule="0 6 * * 1",
    execution_timezone="UTC",
    description="A challenger every Monday; the gate decides whether it serves.",
)

SCHEDULES = (daily_schedule, weekly_training)
