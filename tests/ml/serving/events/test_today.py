"""The listens of the running day, as they come in, whichever process took them."""

from datetime import UTC, datetime, timedelta

import pytest

from ml.serving.events.closing import close_days
from ml.serving.events.today import Today
from ml.sources.events import segments
from tests.ml.serving.events.conftest import DAY, NOON, make_impression, make_listen

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def today(folder):
    return Today(folder)


def test_listens_come_in_the_order_in_which_they_were_played(journal, today):
    rows = [make_listen(0), make_listen(2, ms_played=29_999), make_listen(1, ms_played=None)]
    journal.append([*rows, make_impression(0), make_listen(3, user_id="ben")], NOON)
    today.refresh()
    found = today.listens("anna", LATER)
    assert found.track_ids == ["t2", "t1", "t0"]
    assert found.played_at == [NOON - timedelta(seconds=left) for left in (3, 2, 1)]
    assert found.skipped == [True, False, False]


def test_a_listen_is_seen_after_the_next_refresh_and_not_before_it_was_received(journal, today):
    journal.append([make_listen(0)], NOON)
    today.refresh()
    journal.append([make_listen(1)], NOON + timedelta(seconds=10))
    assert today.listens("anna", LATER).track_ids == ["t0"]
    today.refresh()
    assert today.listens("anna", LATER).track_ids == ["t1", "t0"]
    assert today.listens("anna", NOON + timedelta(seconds=10)).track_ids == ["t0"]
    assert today.listens("anna", NOON).track_ids == []


def test_another_process_s_listens_are_seen_and_an_id_that_both_took_once(begin, today):
    one, other = begin(), begin()
    one.append([make_listen(0)], NOON)
    other.append([make_listen(0), make_listen(1)], NOON + timedelta(seconds=1))
    today.refresh()
    assert today.listens("anna", LATER).track_ids == ["t1", "t0"]
    assert today.listens("anna", NOON + timedelta(milliseconds=1)).track_ids == ["t0"]


def test_yesterday_s_listens_are_not_today_s(journal, today):
    journal.append([make_listen(0)], NOON)
    late = make_listen(1)
    tomorrow = datetime(2026, 3, 2, 8, tzinfo=UTC)
    journal.append([late, make_listen(2, played_at="2026-03-02T07:00:00Z")], tomorrow)
    today.refresh()
    assert today.listens("anna", tomorrow + timedelta(hours=1)).track_ids == ["t2"]
    assert today.listens("anna", LATER).track_ids == ["t0"]


def test_a_day_that_nobody_asked_for_lately_is_read_again_when_it_is(journal, today):
    days = [NOON + timedelta(days=number) for number in range(6)]
    for number, at in enumerate(days):
        played = (at - timedelta(minutes=1)).isoformat()
        journal.append([make_listen(number, played_at=played)], at)
        today.refresh()
    for number, at in enumerate(days):
        found = today.listens("anna", at + timedelta(hours=1)).track_ids
        assert found == [f"t{number}"]


def test_a_line_half_written_is_left_until_it_is_whole(journal, folder, today):
    journal.append([make_listen(0)], NOON)
    journal.append([make_listen(1)], NOON)
    [segment] = segments(folder, DAY)
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-20])
    today.refresh()
    assert today.listens("anna", LATER).track_ids == ["t0"]
    segment.write_bytes(whole)
    today.refresh()
    assert today.listens("anna", LATER).track_ids == ["t1", "t0"]


def test_an_unknown_listener_and_a_journal_not_begun_have_no_listens(today):
    today.refresh()
    assert today.listens("anna", LATER).track_ids == []


def test_a_listen_after_the_day_was_closed_waits_for_the_day_it_counts_for(journal, folder, today):
    close_days(folder, DAY + timedelta(days=1))
    journal.append([make_listen(0)], NOON)
    today.refresh()
    assert today.listens("anna", LATER).track_ids == []
