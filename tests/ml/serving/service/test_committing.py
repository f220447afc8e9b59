"""Impressions that are not logged are counted, and a disk that hangs is told."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from ml.serving.events.journal import Journal
from ml.serving.service.committing import MOST_WAITING, Committer
from tests.ml.serving.events.conftest import NOON, make_shown


@dataclass
class Bench:
    """A committer on one writing thread, which `hang` stops, and what it reported lost."""

    threads: ThreadPoolExecutor
    seconds: float = 0.0
    lost: list[int] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    committer: Committer = field(init=False)

    def hang(self):
        """The thread waits as for a disk, until `released`."""
        self.threads.submit(self.released.wait, 60)


@pytest.fixture
def bench(tmp_path):
    """A bench on an empty journal."""
    journal, threads = Journal(tmp_path / "events"), ThreadPoolExecutor(1)
    made = Bench(threads)
    made.committer = Committer(journal, threads, made.lost.append, lambda: made.seconds)
    yield made
    made.released.set()
    threads.shutdown()
    journal.close()


def test_what_several_answers_showed_is_one_write(bench, monkeypatch):
    sync, calls = os.fdatasync, []

    def noted(descriptor):
        calls.append(descriptor)
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", noted)
    bench.hang()
    for number in range(3):
        bench.committer.hand_over(make_shown(2, request_id=f"r{number}"), NOON)
    bench.released.set()
    asyncio.run(bench.committer.finish())
    assert (len(calls), bench.lost, bench.committer.problem) == (1, [], None)


def test_beyond_what_may_wait_rows_are_lost_and_the_next_write_mends_it(bench):
    bench.hang()
    bench.committer.hand_over(make_shown(MOST_WAITING), NOON)
    bench.committer.hand_over(make_shown(2, request_id="later"), NOON)
    assert sum(bench.lost) == 2
    told = bench.committer.problem
    assert told == "impressions cannot be logged: 20,000 wait for the disk already"
    bench.released.set()
    asyncio.run(bench.committer.finish())
    assert bench.committer.problem is None


def test_a_write_that_takes_seconds_is_a_problem_until_it_ends(bench):
    bench.hang()
    bench.committer.hand_over(make_shown(1), NOON)
    assert bench.committer.problem is None
    bench.seconds = 6.0
    told = bench.committer.problem
    assert told == "impressions are not logged: the disk has been writing for 6 s"
    bench.released.set()
    asyncio.run(bench.committer.finish())
    assert bench.committer.problem is None


def test_answers_of_several_event_loops_share_a_writer(bench):
    """The loop that handed over may be gone before its rows are written."""

    async def answered(number):
        bench.committer.hand_over(make_shown(1, request_id=f"r{number}"), NOON)

    bench.hang()
    for number in range(3):
        asyncio.run(answered(number))
    bench.released.set()
    asyncio.run(bench.committer.finish())
    assert (bench.lost, bench.committer.problem) == ([], None)


class OutOfMemoryOnce(Journal):
    """A journal whose first write ends in an error that nobody foresaw."""

    failed = False

    def append_shown(self, lists, received_at):
        if not self.failed:
            self.failed = True
            raise MemoryError
        super().append_shown(lists, received_at)


def test_an_error_that_nobody_foresaw_loses_its_rows_and_ends_no_later_write(tmp_path):
    lost = []
    journal = OutOfMemoryOnce(tmp_path / "events")
    with ThreadPoolExecutor(1) as threads:
        committer = Committer(journal, threads, lost.append, lambda: 0.0)
        committer.hand_over(make_shown(1), NOON)
        # The one thread takes this after the write that failed.
        threads.submit(int).result(60)
        assert (sum(lost), committer.problem is None) == (1, False)
        committer.hand_over(make_shown(1, request_id="later"), NOON)
        asyncio.run(committer.finish())
    journal.close()
    assert (sum(lost), committer.problem) == (1, None)
