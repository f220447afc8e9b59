"""When a day of receipt is over: what is written before, and never after.

Belongs here: the lock between writers and whoever closes a day, the two marks of a journal. Does not
belong here: writing segments (journal.py), reading them (ml/sources/events.py).

A writer holds the lock together with other writers while it looks at the mark and writes; closing holds
it alone. So no segment of a closed day is half written, whatever clock the writers go by. The kernel
lets go of the lock of a process that dies.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO

from ml.sources.events import CLOSED_BEFORE, closed_before, event_days

_ENTERED_BEFORE = "entered_before"
_LOCK = "lock"


def open_lock(folder: Path) -> IO[bytes]:
    """The journal's lock file; the folder is created."""
    folder.mkdir(parents=True, exist_ok=True)
    sync_folder(folder.parent)
    return (folder / _LOCK).open("ab")


@contextmanager
def admitted(folder: Path, lock: IO[bytes]) -> Iterator[date | None]:
    """The first open day, which no one closes meanwhile; None while no day was closed."""
    fcntl.flock(lock, fcntl.LOCK_SH)
    try:
        yield closed_before(folder)
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)


def close_days(folder: Path, end: date) -> None:
    """Close every day before `end`: what is received on them from now on counts for the first open
    day. A day never opens again."""
    with open_lock(folder) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        held = closed_before(folder)
        if held is None or held < end:
            _mark(folder / CLOSED_BEFORE, end)


def days_to_enter(folder: Path, start: date, end: date) -> list[date]:
    """Days before `end` whose events are to enter the lake: [start, end), and earlier ones that no run
    has entered yet (silent days on which nothing but events came)."""
    entered = _read_mark(folder / _ENTERED_BEFORE)
    return [
        day
        for day in event_days(folder)
        if day < end and (day >= start or entered is None or day >= entered)
    ]


def mark_entered(folder: Path, end: date) -> None:
    """Remember that the events of all days before `end` are in the lake."""
    held = _read_mark(folder / _ENTERED_BEFORE)
    if held is None or held < end:
        _mark(folder / _ENTERED_BEFORE, end)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_mark(path: Path) -> date | None:
    return date.fromisoformat(path.read_text().strip()) if path.is_file() else None


def _mark(path: Path, day: date) -> None:
    aside = path.with_name(f".{path.name}.writing")
    with aside.open("w") as stream:
        stream.write(f"{day.isoformat()}\n")
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(path)
    sync_folder(path.parent)
