"""Impressions into the journal, those of several answers in one write.

Belongs here: gathering what comes while a write is under way, how much and how long. Does not belong here:
the journal itself (ml.serving.events).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime

from ml.errors import SegueError
from ml.serving.events.journal import Appended, Journal

Row = Mapping[str, object]
# Behind a disk that hangs more and more wait, and memory has an end.
MOST_WAITING = 20_000
# Far above any flush of a sound disk, and soon enough for whoever looks after the service.
_SLOW_SECONDS = 5.0


class Committer:
    """Writes to the journal beside the event loop; whoever waits for a write waits for all before it in
    the same one, not for a disk flush of its own."""

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
        self._waiting: list[Row] = []
        self._received: datetime | None = None
        self._next: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._began: float | None = None
        self._failure: str | None = None

    @property
    def problem(self) -> str | None:
        """Why impressions are not being logged, None where they are."""
        if self._failure is None and self._began is not None:
            seconds = self._ticks() - self._began
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

    def hand_over(self, rows: Sequence[Row], received_at: datetime) -> "asyncio.Task[None] | None":
        """Take rows to be written with whatever else is waiting, and return at once.

        The write that will hold them is returned; None where MOST_WAITING rows wait already: then these
        are lost.
        """
        if len(self._waiting) + len(rows) > MOST_WAITING:
            self._lose(len(rows), f"{len(self._waiting):,} wait for the disk already")
            return None
        self._waiting.extend(rows)
        self._received = max(received_at, self._received or received_at)
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._commit())
        return self._next

    async def log(self, rows: Sequence[Row], received_at: datetime) -> None:
        """`hand_over`, and wait for the write; durable when this returns, unless `problem` says
        otherwise. Giving up the waiting does not stop the writing."""
        writing = self.hand_over(rows, received_at)
        if writing is not None:
            await asyncio.shield(writing)

    async def _commit(self) -> None:
        async with self._writing:
            # What comes from here on belongs to the next write.
            rows, received = self._waiting, self._received
            self._waiting, self._received, self._next = [], None, None
            assert received is not None  # noqa: S101 - a commit is only made for rows
            self._began = self._ticks()
            try:
                appended = await self.append(rows, received)
            except (OSError, SegueError) as error:
                self._lose(len(rows), str(error))
            else:
                # One row that does not fit is lost, and no sign of a disk that takes none.
                self._lost(len(appended.rejected))
                self._failure = None
            finally:
                self._began = None

    def _lose(self, rows: int, why: str) -> None:
        self._failure = f"impressions cannot be logged: {why}"
        self._lost(rows)

    async def finish(self) -> None:
        """Return once everything that was handed over is written."""
        while self._next is not None:
            await asyncio.shield(self._next)
        async with self._writing:
            return
