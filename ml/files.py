"""Writing files so that a reader never takes half of something for the whole.

Belongs here: aside and renamed. Does not belong here: which files there are, files that are added to
(ml.lines).
"""

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def replace_file(path: Path, write: Callable[[Path], object], aside: str = "aside") -> None:
    """Let `write` fill a hidden file beside `path` and rename it into place; the folder is made where
    missing. What a kill leaves is overwritten by the next write of the same `aside`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    filled = path.with_name(f".{path.name}.{aside}")
    write(filled)
    filled.replace(path)


def replace_text(path: Path, text: str) -> None:
    """UTF-8 text; processes may write the same path at once, the last rename counts."""
    replace_file(path, lambda aside: aside.write_text(text, encoding="utf-8"), str(os.getpid()))


def replace_table(path: Path, table: pa.Table, *, compression: str = "snappy") -> None:
    """A Parquet file."""
    replace_file(path, lambda aside: pq.write_table(table, aside, compression=compression))
