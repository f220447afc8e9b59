"""Label windows follow one another, however long a list has to last."""

from datetime import date, timedelta

import pytest

from ml.evaluation.splits import SplitError, bounded_horizon, label_windows, widened

AS_OF = date(2026, 1, 1)
DAYS = [AS_OF - timedelta(days=back) for back in range(200, 0, -1)]
MONTHS = [date(2020 + month // 12, month % 12 + 1, 1) for month in range(72)]


def test_lists_of_a_day_take_the_last_ten_days() -> None:
    found = label_windows(DAYS, AS_OF)
    assert [*found.train, *found.validation, *found.test] == DAYS[-10:]


@pytest.mark.parametrize("horizon", [1, 7, 30])
def test_labels_end_before_the_next_split_begins(horizon: int) -> None:
    found, lasting = label_windows(DAYS, AS_OF, horizon=horizon), timedelta(days=horizon)
    sizes = (6, 2, 2) if horizon == 1 else (3, 1, 1)
    assert (len(found.train), len(found.validation), len(found.test)) == sizes
    assert found.train[-1] + lasting <= found.validation[0]
    assert found.validation[-1] + lasting <= found.test[0]
    assert found.test[-1] + lasting <= AS_OF


def test_months_that_a_quarter_covers() -> None:
    """90 days from October end before January, from July before October, from April on June 30."""
    found = label_windows(MONTHS, AS_OF, horizon=90)
    assert found.test == (date(2025, 10, 1),)
    assert found.validation == (date(2025, 7, 1),)
    assert found.train == (date(2025, 2, 1), date(2025, 3, 1), date(2025, 4, 1))


def test_lists_that_last_longer_than_the_history_are_refused() -> None:
    with pytest.raises(SplitError, match="ask for a shorter --horizon"):
        label_windows(DAYS, AS_OF, horizon=150)


@pytest.mark.parametrize("horizon", [1, 7])
def test_a_gap_is_left_out_before_every_split(horizon: int) -> None:
    found = label_windows(DAYS, AS_OF, horizon=horizon, gap=3)
    lasting, gap = timedelta(days=horizon), timedelta(days=3)
    assert found.validation[0] - found.train[-1] == lasting + gap
    assert found.test[0] - found.validation[-1] == lasting + gap
    assert found.test[-1] + lasting == AS_OF


def test_without_a_gap_the_windows_are_the_same() -> None:
    assert label_windows(DAYS, AS_OF, gap=0) == label_windows(DAYS, AS_OF)


def test_days_in_gaps_count_for_no_label_day() -> None:
    """Of 20 days 9 lie in gaps: 11 allow for half as many label days, 3 + 1 + 1."""
    found = label_windows(DAYS[-20:], AS_OF, gap=3)
    assert [len(days) for days in (found.train, found.validation, found.test)] == [3, 1, 1]
    assert found.train[0] - timedelta(days=3) > DAYS[-20]


def test_a_gap_that_leaves_no_history_is_refused() -> None:
    """Of the nine days from 23 December on the 31st, 28th and 25th are label days, the gap before them reaches
    the first; a day more is history."""
    with pytest.raises(SplitError, match=r"expected history before 2025-12-23.*gaps of 2 days"):
        label_windows(DAYS[-9:], AS_OF, gap=2)
    assert label_windows(DAYS[-10:], AS_OF, gap=2).train == (date(2025, 12, 25),)
    with pytest.raises(SplitError, match="ask for a shorter --horizon or --gap"):
        label_windows(DAYS[-10:], AS_OF, gap=9)


def test_no_list_is_judged_by_more_than_a_24th_of_the_history() -> None:
    assert bounded_horizon(DAYS, AS_OF, 181) == 8
    assert bounded_horizon(DAYS, AS_OF, 3) == 3
    assert bounded_horizon(DAYS[-5:], AS_OF, 181) == 1
    assert bounded_horizon([], AS_OF, 181) == 1


@pytest.mark.parametrize(
    ("listeners", "times"), [(0.0, 5), (1.0, 5), (2.0, 3), (4.9, 2), (5.0, 1), (2_000.0, 1)]
)
def test_a_history_of_few_listeners_is_judged_by_more_days(listeners: float, times: int) -> None:
    assert widened(listeners) == times
