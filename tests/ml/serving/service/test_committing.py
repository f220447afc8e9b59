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
    rows = [make_impression(0), make_impression(1, user_id=None, score="high")]
    asyncio.run(bench.committer.log(rows, NOON))
    assert (sum(bench.lost), bench.committer.problem) == (1, None)


def test_beyond_what_may_wait_rows_are_lost_and_the_next_write_mends_it(bench):
    rows = [make_impression(0)]

    async def filled():
        bench.hang()
        first = asyncio.create_task(bench.committer.log(rows, NOON))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting = asyncio.create_task(bench.committer.log(rows * MOST_WAITING, NOON))
        await asyncio.sleep(0)
        await bench.committer.log(rows * 2, NOON)
        seen = sum(bench.lost), bench.committer.problem
        bench.released.set()
        await asyncio.gather(first, waiting)
        return seen

    lost, problem = asyncio.run(filled())
    assert lost == 2
    assert problem == "impressions cannot be logged: 20,000 wait for the disk already"
    assert bench.committer.problem is None


def test_a_write_that_takes_seconds_is_a_problem_until_it_ends(bench):
    async def slow():
        bench.hang()
        writing = asyncio.create_task(bench.committer.log([make_impression(0)], NOON))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        told = [bench.committer.problem]
        bench.seconds = 6.0
        told.append(bench.committer.problem)
        bench.released.set()
        await writing
        return [*told, bench.committer.problem]

    before, during, after = asyncio.run(slow())
    assert (before, after) == (None, None)
    assert during == "impressions are not logged: the disk has been writing for 6 s"
