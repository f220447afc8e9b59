"""The data day as a partition.

Belongs here: the partitions of the home and how days map. Does not belong here: which day comes next
(orchestration.schedules).
"""

from datetime import date, timedelta

import dagster as dg

from orchestration.home import read_home
from orchestration.settings import load_settings

# Definitions must load before a home exists, so that `dg` can list them.
_NO_HOME = date(2026, 1, 1)


def day_partitions() -> dg.DailyPartitionsDefinition:
    """Daily partitions from the home's first to its last day, which may still be open."""
    settings = load_settings()
    if not settings.home_file.is_file():
        return dg.DailyPartitionsDefinition(start_date=_NO_HOME.isoformat())
    home = read_home(settings)
    end = (home.last_day + timedelta(days=1)).isoformat() if home.last_day else None
    return dg.DailyPartitionsDefinition(start_date=home.first_day.isoformat(), end_date=end)


DAYS = day_partitions()

# State[D] stands on state[D-1]; outcomes[D] and ranking quality[D] on recommendations[D-1].
DAY_BEFORE = dg.TimeWindowPartitionMapping(
    start_offset=-1, end_offset=-1, allow_nonexistent_upstream_partitions=True
)
ONE_RANGE = dg.BackfillPolicy.single_run()


def run_days(context: dg.AssetExecutionContext) -> tuple[date, date]:
    """[start, end) of the run's partitions."""
    keys = context.partition_key_range
    return (
        date.fromisoformat(keys.start),
        date.fromisoformat(keys.end) + timedelta(days=1),
    )
