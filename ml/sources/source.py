"""What a reader hands to the lake: files of raw rows, and what is worth saying about them.

Belongs here: the values that pass between readers and the lake. Does not belong here: reading a
format (its own module), judging or storing rows (ml/lake).
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:  # looking.py reads files, and files.py needs the names below
    from ml.sources.looking import Look

RECORD = "_record"

# Rows that a reader already knows to be no rows: place, reason and content (JSON).
REJECTED = pa.schema([(RECORD, pa.int64()), ("reason", pa.string()), ("raw", pa.string())])

TIMES_SYNTHESISED = "times_synthesised"
MONTH_RESOLUTION = "month_resolution"
ANONYMOUS_USERS = "anonymous_users"
NO_TEXT = "no_text"
NO_PLAY_LENGTH = "no_play_length"
UNDATED_FRIENDSHIPS = "undated_friendships"
STATIONS_NOT_LISTENERS = "stations_not_listeners"
ONE_LISTENER = "one_listener"


@dataclass(frozen=True, slots=True, eq=False)
class SourceFile:
    """Raw rows of one canonical table from one file, not yet typed or judged.

    `rows` has the columns of the canonical table by name, of any type, `_record` (int64, from 1) and
    any further columns of the file, which only a quarantined row keeps. None: unreadable as a whole,
    `unreadable` says why and `original` is what to keep.
    `source` names the origin in derived ids: a stable name, not the content, so that the same
    listen in a second export is known again. `digest` is the hash of everything the rows depend on.
    `earliest` (UTC) stands in for a missing `known_at` of tracks, users and friendships.
    """

    path: str
    table: str
    source: str
    digest: str
    rows: pa.Table | None
    rejected: pa.Table = field(default_factory=REJECTED.empty_table)
    earliest: datetime | None = None
    unreadable: str | None = None
    original: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The files of one import, read one at a time, with notes for people and limits for the home."""

    files: Iterable[SourceFile]
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """A way of reading: options by name with their default ("" = not set) and what it expects.

    `recognise` says why a path is of this format, "" when it is not; None: it has to be named.
    """

    name: str
    expects: str
    options: Mapping[str, str]
    read: Callable[[Path, Mapping[str, str]], Source]
    recognise: "Callable[[Look], str] | None" = None


def digest_of(paths: Iterable[Path], *parts: str) -> str:
    """SHA-256 (32 hex digits) of the files' bytes and of the words that steer their reading."""
    total = hashlib.sha256("\x1f".join(parts).encode())
    for path in paths:
        with path.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()[:32]
