"""A range of days becomes runs of dbt."""

from datetime import date

import pytest

from orchestration.dbt_runs import DbtError, bridged, ranges

START = date(2020, 1, 1)


def test_a_long_history_is_built_in_parts_without_holes() -> None:
    parts = ranges(START, date(2020, 1, 12), {}, longest=5)
    assert [first for first, _ in parts] == [START, date(2020, 1, 6), date(2020, 1, 11)]
    assert [end for _, end in parts] == [date(2020, 1, 6), date(2020, 1, 11), date(2020, 1, 12)]


def test_a_long_history_that_was_killed_goes_on_where_its_built_days_end() -> None:
    built = {"features.users": date(2020, 1, 9), "features.tracks": date(2020, 1, 6)}
    assert ranges(START, date(2020, 1, 12), built, longest=5) == [
        (date(2020, 1, 6), date(2020, 1, 11)),
        (date(2020, 1, 11), date(2020, 1, 12)),
    ]


def test_a_long_history_that_is_built_builds_its_last_day_again() -> None:
    built = {"features.users": date(2020, 1, 12)}
    parts = ranges(START, date(2020, 1, 12), built, longest=5)
    assert parts == [(date(2020, 1, 11), date(2020, 1, 12))]


def test_a_range_that_ends_before_the_latest_built_day_is_refused() -> None:
    with pytest.raises(DbtError, match="2020-01-09"):
        ranges(START, date(2020, 1, 5), {"features.users": date(2020, 1, 9)})


def test_silent_days_are_built_with_the_next_day_that_holds_data() -> None:
    built = {"features.users": date(2020, 1, 3)}
    assert bridged(date(2020, 1, 6), built, [date(2020, 1, 6)]) == date(2020, 1, 3)


def test_a_day_with_data_that_was_passed_over_stays_a_hole() -> None:
    built = {"features.users": date(2020, 1, 3)}
    held = [date(2020, 1, 4), date(2020, 1, 6)]
    assert bridged(date(2020, 1, 6), built, held) == date(2020, 1, 6)
