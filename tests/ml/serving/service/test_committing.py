"""Impressions that are not logged are counted, and a disk that hangs is told."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from ml.serving.events.journal import Journal
from ml.serving.service.committing import MOST_WAITING, Committer
from tests.ml.serving.events.conftest import NOON, make_impression


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


def test_a_row_that_does_not_fit_is_counted_as_lost_and_the_others_are_written(bench):
    bench.committer.hand_over(
        [make_impression(0), make_impression(1, user_id=None, score="high")], NOON
    )
    asyncio.run(bench.committer.finish())
    assert (sum(bench.lost), bench.committer.problem) == (1, None)


def test_beyond_what_may_wait_rows_are_lost_and_the_next_write_mends_it(bench):
    rows = [make_impression(0)]
    bench.hang()
    bench.committer.hand_over(rows * MOST_WAITING, NOON)
    bench.committer.hand_over(rows * 2, NOON)
    assert sum(bench.lost) == 2
    told = bench.committer.problem
    assert told == "impressions cannot be logged: 20,000 wait for the disk already"
    bench.released.set()
    asyncio.run(bench.committer.finish())
    assert bench.committer.problem is None


def test_a_write_that_takes_seconds_is_a_problem_until_it_ends(bench):
    bench.hang()
    bench.committer.hand_over([make_impression(0)], NOON)
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
        bench.committer.hand_over([make_impression(number)], NOON)

    bench.hang()
    for number in range(3):
        asyncio.run(answered(number))
    bench.released.set()
    asyncio.run(bench.committer.finish())
    assert (bench.lost, bench.committer.problem) == ([0], None)


class OutOfMemoryOnce(Journal):
    """A journal whose first write ends in an error that nobody foresaw."""

    failed = False

    def append(self, rows, received_at):
        if not self.failed:
            self.failed = True
            raise MemoryError
        return super().append(rows, received_at)


def test_an_error_that_nobody_foresaw_loses_its_rows_and_ends_no_later_write(tmp_path):
    lost = []
    journal = OutOfMemoryOnce(tmp_path / "events")
    with ThreadPoolExecutor(1) as threads:
        committer = Committer(journal, threads, lost.append, lambda: 0.0)
        committer.hand_over([make_impression(0)], NOON)
        # The one thread takes this after the write that failed.
        threads.submit(int).result(60)
        assert (sum(lost), committer.problem is None) == (1, False)
        committer.hand_over([make_impression(1)], NOON)
        asyncio.run(committer.finish())
    journal.close()
    assert (sum(lost), committer.problem) == (1, None)
