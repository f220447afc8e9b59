"""A full disk: how it shows in the errors of the libraries below, and what a person is told.

Belongs here: recognising it, the words. Does not belong here: making room.
"""

import errno
import re
import shutil
import sys
from pathlib import Path

from ml.errors import SegueError

# As the system, SQLite and quotas put it; DuckDB, dbt and Dagster repeat the system's words.
_WORDS = (
    "No space left on device",
    "database or disk is full",
    "Disk quota exceeded",
    "File too large",
)
# What NumPy says instead.
_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")
# What SQLite says of the files beside its own; it may mean a broken disk too, where there is room.
_VAGUE, _LITTLE = "disk I/O error", 16 * 2**20
# Folders of one disk are told alike, whatever others write meanwhile.
_GRAIN = 2**20
_NUMBERS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DiskFullError(SegueError):
    """There was no room for what had to be written."""


def kinds() -> tuple[type[BaseException], ...]:
    """The errors a full disk can come as; those of libraries only where they are imported."""
    known: list[type[BaseException]] = [OSError]
    for module, name in (
        ("duckdb", "Error"),
        ("sqlite3", "Error"),
        ("sqlalchemy.exc", "DBAPIError"),
        ("dagster", "DagsterError"),
        ("mlflow.exceptions", "MlflowException"),
    ):
        if module in sys.modules:
            known.append(getattr(sys.modules[module], name))
    return tuple(known)


def is_full(error: BaseException, home: Path) -> bool:
    """Whether an error, or one that it came from, says that the disk of a home is full."""
    if getattr(error, "errno", None) in _NUMBERS or says_full(str(error), home):
        return True
    came_from = error.__cause__ or error.__context__
    return came_from is not None and is_full(came_from, home)


def says_full(text: str, home: Path) -> bool:
    """Whether the words of an error say that the disk of a home is full."""
    if any(words in text for words in _WORDS) or _CUT_SHORT.search(text) is not None:
        return True
    return _VAGUE in text and shutil.disk_usage(_fullest(home)).free < _LITTLE


def told(home: Path, command: str) -> str:
    """Which folder of the home is full, how much is left there, and what to run again once there is room."""
    folder = _fullest(home)
    usage = shutil.disk_usage(folder)
    return (
        f"expected room on the disk of {folder}, found it full ({usage.free / 1e6:,.1f} MB free of "
        f"{usage.total / 1e6:,.0f}); what was whole before is whole: make room and run `{command}` again"
    )


def _fullest(home: Path) -> Path:
    """The home, or the folder in it with less room: folders may lie on disks of their own."""
    at = next(one for one in (home, *home.parents) if one.is_dir())
    folders = [at, *sorted(one for one in at.iterdir() if one.is_dir() and at == home)]
    return min(folders, key=lambda one: shutil.disk_usage(one).free // _GRAIN)


def advised(text: str, home: Path, command: str) -> str:
    """What a failed step said, followed by what to do where that is about a full disk."""
    return f"{text}\n{told(home, command)}" if says_full(text, home) else text
