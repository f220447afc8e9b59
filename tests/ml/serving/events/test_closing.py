"""A closed day is written no more, and is read whole."""

import threading
from datetime import UTC, date, datetime, time, timedelta

from ml.serving.events.closing import (
    admitted,
    close_days,
    days_to_enter,
    mark_entered,
    open_lock,
)
from ml.sources.events import closed_before, event_days, segments
from tests.ml.serving.events.conftest import DAY, NOON, entered, make_listen

NEXT = DAY + timedelta(days=1)


def test_what_comes_on_a_closed_day_counts_for_the_first_open_one(journal, folder, lake):
    journal.append([make_listen(0)], NOON)
    close_days(folder, NEXT)
    [segment] = segments(folder, DAY)
    size = segment.stat().st_size

    assert journal.append([make_listen(1)], NOON + timedelta(seconds=1)).accepted == 1

    assert segment.stat().st_size == size
    entered(folder, lake)
    known = {row["listen_id"]: row["known_at"] for row in lake.read("listens").to_pylist()}
    assert known == {"l0": NOON, "l1": datetime.combine(NEXT, time.min, UTC)}


def test_a_day_is_not_closed_while_a_writer_is_at_it(journal, folder):
    lock = open_lock(folder)
    with admitted(folder, lock) as first_open:
        assert first_open is None
        closer = threading.Thread(target=close_days, args=(folder, NEXT))
        closer.start()
        closer.join(0.05)
        assert closer.is_alive()
        assert closed_before(folder) is None
    closer.join()
    assert closed_before(folder) == NEXT


def test_a_closed_day_never_opens_again(folder, journal):
    close_days(folder, NEXT)
    close_days(folder, DAY)
    assert closed_before(folder) == NEXT


def test_silent_days_that_no_run_has_entered_come_with_the_next_one(journal, folder):
    for days in (0, 1, 2, 3):
        journal.append([make_listen(days)], NOON + timedelta(days=days))
    first, silent, third, running = event_days(folder)
    assert days_to_enter(folder, first, silent) == [first]
    mark_entered(folder, silent)
    assert days_to_enter(folder, third, running) == [silent, third]
    mark_entered(folder, running)
    assert days_to_enter(folder, first, silent) == [first]
    assert days_to_enter(folder, running, date(2027, 1, 1)) == [running]
