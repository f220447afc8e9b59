"""Writing files so that a reader never takes half of something for the whole.

Belongs here: aside and renamed. Does not belong here: which files there are, files that are added to
(ml.lines).
"""

import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_ASIDE = ".aside-"


def replace_file(path: Path, write: Callable[[Path], object], aside: str = "aside") -> None:
    """Let `write` fill a hidden file beside `path` and rename it into place; the folder is made where
    missing. What a kill leaves is overwritten by the next write of the same `aside`; a write that fails
    leaves nothing: on a full disk half a file would take the room that the next one needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    filled = path.with_name(f".{path.name}.{aside}")
    is_whole = False
    try:
        write(filled)
        is_whole = True
        filled.replace(path)
    finally:
        if not is_whole:
            filled.unlink(missing_ok=True)


def aside_folder(parent: Path) -> Path:
    """A new hidden folder in `parent`, to be filled and renamed; what processes that are gone left there is
    removed: a kill leaves its own, and models and states are large."""
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{_ASIDE}*"):
        if not _is_alive(int(left.name.removeprefix(_ASIDE).partition("-")[0])):
            shutil.rmtree(left, ignore_errors=True)
    folder = parent / f"{_ASIDE}{os.getpid()}-{uuid.uuid4().hex}"
    folder.mkdir()
    return folder


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def replace_text(path: Path, text: str) -> None:
    """UTF-8 text; processes may write the same path at once, the last rename counts."""
    replace_file(path, lambda aside: aside.write_text(text, encoding="utf-8"), str(os.getpid()))


def replace_table(path: Path, table: pa.Table, *, compression: str = "snappy") -> None:
    """A Parquet file whose pages have checksums: bytes changed on the disk are then found when it is read
    with `page_checksum_verification`."""

    def write(aside: Path) -> None:
        pq.write_table(table, aside, compression=compression, write_page_checksum=True)

    replace_file(path, write)
