"""A home dated by the month has a partition a month; every other home has one a day."""

from datetime import date

import dagster as dg
import pytest

from orchestration.home import DAILY, IMPORTED, MONTHLY, Home, Source, read_home, rhythm_of, widened
from orchestration.home import write_home as store
from orchestration.partitions import day_partitions
from orchestration.settings import Settings

MONTHS = [date(2010, 11, 1), date(2010, 12, 1), date(2011, 2, 1)]


def home_of(days: list[date]) -> Home:
    home = Home(days[0], days[-1], Source(IMPORTED, "hetrec-lastfm"))
    return widened(home, days, ())


def test_days_that_are_all_the_first_of_a_month_make_a_monthly_rhythm() -> None:
    assert rhythm_of(MONTHS) == MONTHLY


@pytest.mark.parametrize("days", [[*MONTHS, date(2011, 2, 2)], MONTHS[:2], []])
def test_any_other_day_or_too_few_of_them_make_a_daily_rhythm(days: list[date]) -> None:
    assert rhythm_of(days) == DAILY


def test_a_period_ends_with_its_month_or_its_day() -> None:
    assert home_of(MONTHS).after(date(2010, 12, 1)) == date(2011, 1, 1)
    assert home_of([date(2010, 12, 31)]).after(date(2010, 12, 31)) == date(2011, 1, 1)


def test_a_listener_of_the_last_month_still_gets_lists_when_the_next_one_begins() -> None:
    """Data of a month stands on its first day, so it is 31 days old when the month is over."""
    assert home_of(MONTHS).active_days >= 62
    assert home_of([date(2010, 12, 31)]).active_days == 28


def test_a_later_import_of_other_days_makes_the_home_daily_again(settings: Settings) -> None:
    store(settings, home_of(MONTHS))
    known = read_home(settings)
    assert known.rhythm == MONTHLY
    assert widened(known, [*MONTHS, date(2011, 2, 14)], ()).rhythm == DAILY


def test_a_monthly_home_has_a_partition_for_every_month_to_its_last(settings: Settings) -> None:
    store(settings, home_of(MONTHS))
    partitions = day_partitions()
    assert isinstance(partitions, dg.MonthlyPartitionsDefinition)
    assert list(partitions.get_partition_keys()) == [
        "2010-11-01",
        "2010-12-01",
        "2011-01-01",
        "2011-02-01",
    ]


def test_a_daily_home_has_a_partition_for_every_day_to_its_last(settings: Settings) -> None:
    store(settings, home_of([date(2011, 2, 27), date(2011, 3, 1)]))
    assert list(day_partitions().get_partition_keys()) == [
        "2011-02-27",
        "2011-02-28",
        "2011-03-01",
    ]
