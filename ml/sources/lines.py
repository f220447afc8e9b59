"""Text files as numbered lines, a block at a time.

Belongs here: blocks, line ends, record numbers. Does not belong here: what a line holds.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from ml.sources.files import UnreadableFileError

BLOCK_BYTES = 1 << 24


def read_lines(path: Path, block_bytes: int = BLOCK_BYTES) -> Iterator[pa.Table]:
    """Tables of `record` (int64, from 1, empty lines counted) and `line` (binary, without its end).

    Compressed files are unpacked. Empty lines are left out. Holds one block and the longest line.
    Raises UnreadableFileError.
    """
    if path.stat().st_size == 0:
        raise UnreadableFileError("the file is empty (0 bytes)")
    rest, seen = b"", 0
    try:
        with pa.input_stream(str(path)) as stream:
            while block := stream.read(block_bytes):
                *whole, rest = (rest + block).split(b"\n")
                if whole:
                    yield _numbered(whole, seen)
                    seen += len(whole)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFileError(f"no readable text: {error}") from error
    if rest:
        yield _numbered([rest], seen)


def _numbered(lines: list[bytes], seen: int) -> pa.Table:
    record = pa.array(np.arange(seen + 1, seen + len(lines) + 1), pa.int64())
    table = pa.table({"record": record, "line": pa.array(lines, pa.binary())})
    held = np.fromiter(map(len, lines), dtype=np.int64, count=len(lines)) > 0
    return table if held.all() else table.filter(pa.array(held))


def text_of(column: str) -> str:
    """SQL of a line as text without a carriage return at its end; null when it is not UTF-8."""
    return f"regexp_replace(try(decode({column})), '\\r$', '')"


def line_as_json(column: str) -> str:
    """SQL of a line as the JSON object that a quarantined row keeps."""
    return f"json_object('line', coalesce(try(decode({column})), {column}::varchar))::varchar"
