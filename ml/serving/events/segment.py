"""One writer's file of one day: lines go in, and are durable when `sync` has returned.

Belongs here: descriptors, writing, the group commit. Does not belong here: what a line says.
"""

import os
import threading
from contextlib import suppress
from datetime import date
from pathlib import Path

from ml.errors import SegueError
from ml.serving.events.closing import sync_folder
from ml.sources.events import SEGMENT, day_folder


class JournalError(SegueError):
    """Events that could not be made durable; none of their batch was acknowledged."""


class Segment:
    """A new file of its own in a day's folder; `write` by one thread at a time, `sync` by any."""

    def __init__(self, folder: Path, end: str = SEGMENT) -> None:
        """Create the next free number, its name ending in `end`. Raises JournalError where that is not
        possible."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.path, self._file = _create(folder, end)
            sync_folder(folder)
            # Also where the folder was there: whoever made it may not have come to syncing it.
            sync_folder(folder.parent)
        except OSError as error:
            raise _refused(folder, error) from error
        self._written = 0
        self._synced = 0
        self._syncing = threading.Lock()
        self.is_broken = False

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._written

    def write(self, lines: bytes) -> int:
        """Append whole lines; returns the place that `sync` must reach for them to be durable.

        Raises JournalError; the segment is broken then and takes nothing more.
        """
        rest = memoryview(lines)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            with self._syncing:
                self._break()
            raise _refused(self.path, error) from error
        self._written += len(lines)
        return self._written

    def sync(self, place: int) -> None:
        """Return once everything before `place` is on the disk.

        Threads that wait meanwhile are served by one call to the disk together. Raises JournalError;
        what was not durable by then is cut off, and the segment takes nothing more.
        """
        with self._syncing:
            if self._synced >= place:
                return
            if self.is_broken:
                raise JournalError(f"{self.path}: expected a sound segment, found it broken")
            reached = self._written
            try:
                os.fdatasync(self._file)
            except OSError as error:
                self._break()
                raise _refused(self.path, error) from error
            self._synced = reached

    def close(self) -> None:
        """Make everything durable and let go of the file."""
        if not self.is_broken:
            self.sync(self._written)
            os.close(self._file)

    def _break(self) -> None:
        """After a failed write or sync no later sync of the file can be believed."""
        if self.is_broken:
            return
        self.is_broken = True
        # What cannot be cut off are events that nobody was promised: read later, they count once.
        with suppress(OSError):
            os.ftruncate(self._file, self._synced)
        os.close(self._file)


class Succession:
    """One writer's segments, one after the other: a full or broken one, and every day, is followed by the
    next. Used by one thread at a time."""

    def __init__(self, folder: Path, most_bytes: int, end: str = SEGMENT) -> None:
        """`folder` is the journal's; a segment of `most_bytes` or more is full."""
        self._folder = folder
        self._most_bytes = most_bytes
        self._end = end
        self._segment: Segment | None = None
        self._day: date | None = None

    def of(self, day: date) -> Segment:
        """The segment that takes what is received on `day`. Raises JournalError."""
        held = self._segment
        if held is None or held.is_broken or held.size >= self._most_bytes or self._day != day:
            self.close()
            self._segment, self._day = Segment(day_folder(self._folder, day), self._end), day
            return self._segment
        return held

    def close(self) -> None:
        """Let go of the file."""
        held, self._segment = self._segment, None
        if held is not None:
            held.close()


def _create(folder: Path, end: str) -> tuple[Path, int]:
    number = len(list(folder.glob("*.jsonl")))
    while True:
        number += 1
        path = folder / f"{number:04d}{end}"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            return path, os.open(path, flags, 0o644)
        except FileExistsError:
            # Another process took this number meanwhile.
            continue


def _refused(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"{path}: expected to write events, found {error.strerror or error}; nothing of this batch was "
        "acknowledged: make room or mend the disk (segue doctor), then send it again"
    )
