"""One step of a life in a forked child, to its end or to its death.

Belongs here: forking, killing, counting changes on the disk. Does not belong here: which steps there are
(killed_steps.py).
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ml.errors import SegueError
from orchestration.settings import Settings

# A child that is not done after this many seconds never will be.
LONGEST = 300.0
# Audit events of Python's that come before something on the disk changes.
_CHANGES = frozenset(
    {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree", "os.truncate"}
)


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of the life: its phase and what a child does in the home of SEGUE_HOME."""

    name: str
    phase: str
    work: Callable[[Settings], object]


@dataclass(frozen=True, slots=True)
class Death:
    """When a child is killed: after `seconds`, or before its change number `change` on the disk."""

    seconds: float | None = None
    change: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: seconds it took, changes it made on the disk, and what it said; `code` is the
    negative signal for a killed one."""

    code: int
    seconds: float
    changes: int
    said: str


def run(step: Step, settings: Settings, log: Path, death: Death | None = None) -> Ended:
    """Run a step in a child that leads a group of its own; a `death` kills the whole group."""
    sys.stdout.flush()
    sys.stderr.flush()
    began = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        _child(step, settings, log, death)
    after = death.seconds if death else None
    code = _wait(pid, began + (LONGEST if after is None else after))
    if code is None:
        _kill(pid)
        code = _wait(pid, began + 2 * LONGEST)
    seconds = time.perf_counter() - began
    changes = log.with_suffix(".changes")
    made = changes.stat().st_size if changes.exists() else 0
    return Ended(code if code is not None else 1, seconds, made, log.read_text(errors="replace"))


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def _wait(pid: int, until: float) -> int | None:
    """The child's exit code, None where it lives at `until` (of time.perf_counter)."""
    handle = os.pidfd_open(pid)
    try:
        import select

        ready, _, _ = select.select([handle], [], [], max(until - time.perf_counter(), 0.0))
    finally:
        os.close(handle)
    if not ready:
        return None
    # What the child started ends with it, however it ended; before it is waited for, since its number may
    # then be another's.
    _kill(pid)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _child(step: Step, settings: Settings, log: Path, death: Death | None) -> None:
    """Do the work and end the process, never returning."""
    os.setsid()
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    code = 2
    _count_changes(settings.home, log.with_suffix(".changes"), death.change if death else None)
    try:
        step.work(settings)
        code = 0
    except SegueError as error:
        os.write(2, f"error: {error}\n".encode())
        code = 1
    finally:
        if code == 2:
            os.write(2, traceback.format_exc().encode())
        os._exit(code)


def _count_changes(home: Path, told: Path, fatal: int | None) -> None:
    """Note every change below `home` that Python is about to make as a byte in `told`, and die before
    the one numbered `fatal` (from 0)."""
    descriptor = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    seen = 0
    prefix, records = str(home), str(home / "dagster")

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event == "open":
            flags = arguments[2]
            changes = isinstance(flags, int) and bool(
                flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            )
        else:
            changes = event in _CHANGES
        # Dagster's own records go through SQLite, which is not seen here.
        place = str(arguments[0]) if changes else ""
        if not place.startswith(prefix) or place.startswith(records):
            return
        if seen == fatal:
            os.killpg(0, signal.SIGKILL)
        seen += 1
        os.write(descriptor, b".")

    sys.addaudithook(heard)
