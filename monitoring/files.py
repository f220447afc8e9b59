"""Writing files so that a reader never takes half of something for the whole.

Belongs here: aside and renamed, and lines added below others. Does not belong here: which files there
are.
"""

import os
from pathlib import Path
from typing import BinaryIO


def write_aside(path: Path, text: str) -> None:
    """Write UTF-8 text beside `path` and rename it into place; the folder is made where missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def append_line(file: BinaryIO, line: str) -> None:
    """Add a line to a file opened for reading and appending, and have it on the disk.

    A last line that a killed process cut short is ended first, so that it spoils no other.
    """
    end = file.seek(0, os.SEEK_END)
    torn = b""
    if end:
        file.seek(end - 1)
        torn = b"" if file.read(1) == b"\n" else b"\n"
    file.write(torn + (line + "\n").encode())
    file.flush()
    os.fsync(file.fileno())
