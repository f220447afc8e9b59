"""What the journal acknowledges is on the disk, once; what it refuses is named."""

import errno
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ml.serving.events.journal import Appended, Journal, Rejected
from ml.serving.events.segment import JournalError
from ml.sources.events import day_folder, segments
from tests.ml.serving.events.conftest import DAY, NOON, entered, make_impression, make_listen


def test_listens_and_impressions_enter_the_lake_as_known_when_they_were_received(
    journal, folder, lake
):
    rows = [make_listen(0), make_listen(1, ms_played=4_000), make_impression(0)]
    assert journal.append(rows, NOON) == Appended(3, 0, ())

    report = entered(folder, lake)

    counts = [(f.table, f.received, f.accepted, f.quarantined) for f in report.files]
    assert counts == [("listens", 2, 2, 0), ("impressions", 1, 1, 0)]
    listens = lake.read("listens").to_pylist()
    assert [row["known_at"] for row in listens] == [NOON, NOON]
    assert [row["ms_played"] for row in listens] == [200_000, 4_000]
    [shown] = lake.read("impressions").to_pylist()
    assert (shown["position"], shown["score"], shown["known_at"]) == (0, 0.5, NOON)


def test_a_wrong_event_is_rejected_with_its_place_and_the_others_are_taken(journal):
    rows = [
        make_listen(0),
        make_listen(1, ms_played=-1),
        make_listen(2, track_id=None),
        {"kind": "like"},
        make_listen(3),
    ]
    answer = journal.append(rows, NOON)
    assert (answer.accepted, answer.already_known) == (2, 0)
    assert answer.rejected == (
        Rejected(1, "ms_played: negative"),
        Rejected(2, "track_id: missing"),
        Rejected(3, "kind: not one of listen, impression"),
    )


def test_a_batch_sent_again_is_already_known_and_writes_nothing(journal, folder):
    rows = [make_listen(0), make_impression(0)]
    journal.append(rows, NOON)
    [segment] = segments(folder, DAY)
    size = segment.stat().st_size
    assert journal.append(rows, NOON + timedelta(seconds=5)) == Appended(0, 2, ())
    assert segment.stat().st_size == size


def test_a_batch_sent_again_after_a_restart_is_already_known(journal, begin):
    journal.append([make_listen(0)], NOON)
    journal.close()
    assert begin().append([make_listen(0), make_listen(1)], NOON) == Appended(1, 1, ())


def test_a_batch_sent_again_after_midnight_is_already_known(journal):
    before = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    journal.append([make_listen(0)], before)
    journal.append([make_listen(1)], before + timedelta(minutes=2))
    assert journal.append([make_listen(0)], before + timedelta(hours=20)) == Appended(0, 1, ())


def test_an_event_twice_in_a_batch_counts_once(journal):
    assert journal.append([make_listen(0), make_listen(0)], NOON) == Appended(1, 1, ())


def test_a_known_id_with_other_content_is_rejected_in_the_words_of_the_lake(journal):
    journal.append([make_listen(0), make_impression(0)], NOON)
    rows = [make_listen(0, ms_played=1), make_impression(0, track_id="other")]
    assert journal.append(rows, NOON).rejected == (
        Rejected(0, "listen_id: known with other content"),
        Rejected(1, "request_id and position: known with other content"),
    )


def test_an_event_sent_to_two_processes_at_a_time_enters_the_lake_once(begin, folder, lake):
    one, other = begin(), begin()
    assert one.append([make_listen(0)], NOON).accepted == 1
    assert other.append([make_listen(0)], NOON + timedelta(seconds=1)).accepted == 1

    report = entered(folder, lake)

    assert [(f.received, f.accepted, f.already_known) for f in report.files] == [
        (1, 1, 0),
        (1, 0, 1),
    ]
    assert lake.read("listens").num_rows == 1


def test_a_day_of_receipt_is_a_utc_day(journal, folder):
    at = datetime.fromisoformat("2026-03-02T01:00:00+02:00")
    journal.append([make_listen(0)], at)
    assert len(segments(folder, DAY)) == 1


def test_a_time_of_receipt_without_a_zone_is_refused(journal):
    with pytest.raises(ValueError, match="with a zone"):
        journal.append([make_listen(0)], NOON.replace(tzinfo=None))


def test_a_batch_that_the_disk_refuses_is_not_acknowledged_and_can_be_sent_again(
    journal, folder, lake, monkeypatch
):
    journal.append([make_listen(0)], NOON)

    def refuse(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", refuse)
        with pytest.raises(JournalError, match=r"Input/output error.*send it again"):
            journal.append([make_listen(1)], NOON)
    assert journal.append([make_listen(1)], NOON) == Appended(1, 0, ())
    assert [path.name for path in segments(folder, DAY)] == ["0001.jsonl", "0002.jsonl"]
    entered(folder, lake)
    assert lake.read("listens")["listen_id"].to_pylist() == ["l0", "l1"]


def test_a_full_disk_leaves_no_half_line_between_the_events(journal, folder, lake, monkeypatch):
    write = os.write

    def fill(descriptor: int, data: memoryview) -> int:
        if len(data) < 100:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[: len(data) - 50])

    with monkeypatch.context() as full:
        full.setattr(os, "write", fill)
        with pytest.raises(JournalError, match="No space left"):
            journal.append([make_listen(0)], NOON)
    assert journal.append([make_listen(0), make_listen(1)], NOON).accepted == 2
    report = entered(folder, lake)
    assert [(f.received, f.accepted) for f in report.files] == [(2, 2)]


def test_threads_that_append_at_a_time_lose_and_double_nothing(journal, folder, lake):
    answers: list[Appended] = []

    def send(first: int) -> None:
        for batch in range(10):
            rows = [make_listen(first + 10 * batch + place) for place in range(10)]
            answers.append(journal.append(rows, NOON))

    threads = [threading.Thread(target=send, args=(100 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answer.accepted for answer in answers) == 800
    report = entered(folder, lake)
    assert [(f.received, f.accepted) for f in report.files] == [(800, 800)]


def test_nothing_is_acknowledged_before_it_is_on_the_disk_and_those_who_wait_share_one_call(
    journal, folder, monkeypatch
):
    journal.append([make_listen(0)], NOON)
    [segment] = segments(folder, DAY)
    line = segment.stat().st_size
    sync, calls, may_go_on = os.fdatasync, [], threading.Event()

    def slow(descriptor: int) -> None:
        calls.append(segment.stat().st_size // line)
        assert may_go_on.wait(60)
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", slow)
    senders = [
        threading.Thread(target=journal.append, args=([make_listen(number)], NOON))
        for number in range(1, 6)
    ]
    for written, sender in enumerate(senders, start=2):
        sender.start()
        deadline = time.monotonic() + 60
        while segment.stat().st_size < written * line or not calls:
            assert time.monotonic() < deadline
    assert all(sender.is_alive() for sender in senders)
    may_go_on.set()
    for sender in senders:
        sender.join()
    assert calls == [2, 6]


def test_a_full_segment_is_followed_by_the_next(folder, lake):
    folder.parent.mkdir()
    journal = Journal(folder, segment_bytes=300)
    for number in range(3):
        journal.append([make_listen(number)], NOON)
    sizes = [path.stat().st_size for path in segments(folder, DAY)]
    assert (len(sizes), sizes[0] >= 300) == (2, True)
    assert journal.append([make_listen(0)], NOON) == Appended(0, 1, ())
    journal.close()
    entered(folder, lake)
    assert lake.read("listens").num_rows == 3


def test_the_name_of_a_days_folder_is_on_the_disk_whoever_made_it(journal, folder, monkeypatch):
    day_folder(folder, DAY).mkdir()
    sync, synced = os.fsync, []

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    journal.append([make_listen(0)], NOON)
    assert folder.resolve() in synced


def test_writers_have_segments_of_their_own(begin, folder):
    for number in range(3):
        begin().append([make_listen(number)], NOON)
    assert len(list(day_folder(folder, DAY).glob("*.jsonl"))) == 3
