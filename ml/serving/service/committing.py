"""Impressions into the journal, those of several answers in one write.

Belongs here: gathering what comes while a write is under way, how much and how long. Does not belong here:
the journal itself (ml.serving.events).

The writing runs on a thread and knows no event loop: nobody waits for it but the end of the service.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime

from ml.errors import SegueError
from ml.serving.events.journal import Appended, Journal
from ml.serving.events.shown import ShownList

Row = Mapping[str, object]
# Half a minute of full load waits behind a disk that hangs (some 20 MB); memory has an end.
MOST_WAITING = 20_000
# What comes within this time is written together: a write costs 0.25 ms of CPU whatever it holds, an answer's
# lines 0.1 ms.
_GATHERED_SECONDS = 0.1
# A flush takes milliseconds; a disk that takes longer than this hangs.
_SLOW_SECONDS = 5.0


class Committer:
    """Writes to the journal beside the answers, all that waits in one write."""

    def __init__(
        self,
        journal: Journal,
        threads: Executor,
        lost: Callable[[int], None],
        ticks: Callable[[], float],
    ) -> None:
        """`lost` is called with the number of impressions that could not be written; `ticks` gives s."""
        self._journal = journal
        self._threads = threads
        self._lost = lost
        self._ticks = ticks
        self._lock = threading.Lock()
        self._waiting: list[ShownList] = []
        self._rows = 0
        self._received: datetime | None = None
        self._writing: Future[None] | None = None
        self._began: float | None = None
        self._failure: str | None = None
        self._hurry = threading.Event()

    @property
    def problem(self) -> str | None:
        """Why impressions are not being logged, None where they are."""
        began = self._began
        if self._failure is None and began is not None:
            seconds = self._ticks() - began
            if seconds > _SLOW_SECONDS:
                return f"impressions are not logged: the disk has been writing for {seconds:.0f} s"
        return self._failure

    async def append(self, rows: Sequence[Row], received_at: datetime) -> Appended:
        """Write one batch by itself and say what became of it: for events, which are answered each.

        Raises:
            OSError, SegueError: the disk refused.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._journal.append, rows, received_at)

    def hand_over(self, shown: ShownList, received_at: datetime) -> None:
        """Take what an answer showed, to be written with whatever else is waiting, and return at once.

        Where MOST_WAITING impressions would wait it is lost.
        """
        with self._lock:
            if self._rows + len(shown) <= MOST_WAITING:
                self._waiting.append(shown)
                self._rows += len(shown)
                self._received = max(received_at, self._received or received_at)
                if self._writing is None:
                    self._began = self._ticks()
                    self._writing = self._threads.submit(self._write_all)
                return
        self._lose(len(shown), f"{self._rows:,} wait for the disk already")

    def _write_all(self) -> None:
        while True:
            self._hurry.wait(_GATHERED_SECONDS)
            with self._lock:
                # What comes from here on belongs to the next write.
                lists, rows, received = self._waiting, self._rows, self._received
                self._waiting, self._rows, self._received = [], 0, None
                if received is None:
                    self._writing = self._began = None
                    return
                self._began = self._ticks()
            written = False
            try:
                self._journal.append_shown(lists, received)
                written = True
            except (OSError, SegueError) as error:
                self._lose(rows, str(error))
                written = True
            else:
                self._failure = None
            finally:
                if not written:
                    # What nobody foresaw ends this thread, and the next lists begin another.
                    self._lose(rows, "the write ended in an error; see the service's log")
                    with self._lock:
                        self._writing = self._began = None

    def _lose(self, rows: int, why: str) -> None:
        self._failure = f"impressions cannot be logged: {why}"
        self._lost(rows)

    async def finish(self) -> None:
        """Return once everything that was handed over is written."""
        self._hurry.set()
        while (writing := self._writing) is not None:
            await asyncio.shield(asyncio.wrap_future(writing))
        self._hurry.clear()
