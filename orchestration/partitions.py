"""The data day as a partition.

Belongs here: the partitions of the home and how days map. Does not belong here: which day comes next
(orchestration.schedules).
"""

from datetime import date

import dagster as dg

from orchestration.home import MONTHLY, read_home
from orchestration.settings import load_settings

# Definitions must load before a home exists, so that `dg` can list them.
_NO_HOME = date(2026, 1, 1)


def day_partitions() -> dg.TimeWindowPartitionsDefinition:
    """Partitions from the home's first to its last day, which may still be open.

    The first one stands for the whole history before it too, where that is long.

    A home whose data is dated by the month has a partition a month; its key is the one data day.
    """
    settings = load_settings()
    if not settings.home_file.is_file():
        return dg.DailyPartitionsDefinition(start_date=_NO_HOME.isoformat())
    home = read_home(settings)
    kind = (
        dg.MonthlyPartitionsDefinition if home.rhythm == MONTHLY else dg.DailyPartitionsDefinition
    )
    # A window counts once it is over: the last one needs its end.
    end = home.after(home.last_day).isoformat() if home.last_day else None
    return kind(start_date=home.first_partition.isoformat(), end_date=end)


DAYS = day_partitions()

# Outcomes[D] and ranking quality[D] stand on recommendations[D-1]. State[D] stands on state[D-1] too, which
# the models guard themselves: Dagster cuts a backfill of assets that depend on themselves into several
# runs, and a range is one run.
DAY_BEFORE = dg.TimeWindowPartitionMapping(
    start_offset=-1, end_offset=-1, allow_nonexistent_upstream_partitions=True
)
ONE_RANGE = dg.BackfillPolicy.single_run()


def run_periods(context: dg.AssetExecutionContext) -> list[tuple[date, date]]:
    """[start, end) of each of the run's partitions, ascending: a day, or a month of a home dated so."""
    windows = [DAYS.time_window_for_partition_key(key) for key in context.partition_keys]
    return [(window.start.date(), window.end.date()) for window in windows]


def run_days(context: dg.AssetExecutionContext) -> tuple[date, date]:
    """[start, end) of the run's partitions together; the first partition begins with the history."""
    periods = run_periods(context)
    start, end = periods[0][0], periods[-1][1]
    home = read_home(load_settings())
    return (home.first_day if start == home.first_partition else start), end
