"""Files of JSON objects, one a line, that are only ever added to.

Belongs here: adding a line, reading all after a kill. Does not belong here: what the objects are, locks.
"""

import json
import os
from typing import Any, BinaryIO


def append_line(file: BinaryIO, line: str) -> None:
    """Add a line to a file opened for reading and appending, and have it on the disk.

    A last line that a killed process cut short is ended first, so that it spoils no other.
    """
    end, torn = file.seek(0, os.SEEK_END), b""
    if end:
        file.seek(end - 1)
        torn = b"" if file.read(1) == b"\n" else b"\n"
    file.write(torn + (line + "\n").encode())
    file.flush()
    os.fsync(file.fileno())


def whole_objects(content: bytes) -> list[dict[str, Any]]:
    """The objects of the lines of `content`, in order.

    A line cut short by a killed process was never confirmed and is passed over, wherever it was cut: it
    may end in the brace of an inner object.
    """
    parsed = (_parsed(line) for line in content.split(b"\n"))
    return [one for one in parsed if one is not None]


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
