"""Format `canonical`: a folder of files named after the canonical tables.

Belongs here: finding the files and what stands in for a missing `known_at`. Does not belong here:
types and rules of the columns (ml/lake/judge.py).

`listens.parquet`, `tracks.csv`, `users.csv.gz` or folders of them (`listens/*.parquet`). Columns as in
ml/tables.py; in CSV a list is text with `|` between its words, a time ISO 8601 with a zone.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ml.errors import SegueError
from ml.sources.files import (
    SUFFIXES,
    ZONED,
    UnreadableFileError,
    column_names,
    connect,
    is_data,
    read_raw,
)
from ml.sources.looking import Look
from ml.sources.required import check_columns
from ml.sources.source import Source, SourceFile, digest_of
from ml.tables import CANONICAL

# Metadata first: a run that is killed never leaves listens of tracks that were on their way.
_ORDER = ("tracks", "users", "friendships", "listens", "impressions")
_UNDATED = ("tracks", "users", "friendships")

OPTIONS = {"known_at": ""}


def recognise(look: Look) -> str:
    """Why the folder is of this format: listens under their name, with their columns; "" when not."""
    if not look.path.is_dir():
        return ""
    for file in _files(look.path, "listens")[:1]:
        columns = look.columns(str(file.relative_to(look.path)))
        if {"user_id", "track_id", "played_at"} <= set(columns):
            return f"{file.relative_to(look.path)} has the columns of listens"
    return ""


def read(path: Path, options: Mapping[str, str]) -> Source:
    """Source of a folder; option `known_at` (ISO day) is when undated tracks, users and friendships became known.

    Without it that is the day of the first listen in the folder. Raises SegueError for a folder
    without files and for tracks, users and friendships that nothing dates.
    """
    files = {table: _files(path, table) for table in _ORDER}
    if not any(files.values()):
        raise SegueError(
            f"expected in {path} files named after the tables ({', '.join(CANONICAL)}) ending in "
            f"{', '.join(SUFFIXES)}, found {_listing(path)}. "
            "Put them there, or name the right format: segue import FORMAT PATH."
        )
    for table, found in files.items():
        for file in found:
            _check_header(table, file)
    undated = [file for table in _UNDATED for file in files[table] if not _has_known_at(file)]
    earliest = _earliest(files["listens"], undated, options["known_at"])
    notes = [
        f"{file.name} has no known_at: its rows count as known from {earliest.date()} on, "
        "or from their release or sign-up day where that is later."
        for file in undated
        if earliest is not None
    ]
    return Source(_read_all(path, files, earliest), tuple(notes))


def _read_all(
    root: Path, files: Mapping[str, list[Path]], earliest: datetime | None
) -> Iterator[SourceFile]:
    for table in _ORDER:
        for file in files[table]:
            yield _read_one(root, table, file, earliest)


def _read_one(root: Path, table: str, file: Path, earliest: datetime | None) -> SourceFile:
    # The stand-in steers what undated rows become, so it is part of what the rows depend on.
    steered = str(earliest) if table in _UNDATED and earliest is not None else ""
    digest = digest_of([file], "canonical", table, steered)
    name = str(file.relative_to(root.parent))
    try:
        raw = read_raw(file)
    except UnreadableFileError as error:
        return SourceFile(
            name, table, "canonical", digest, None, unreadable=str(error), original=file
        )
    return SourceFile(name, table, "canonical", digest, raw.rows, raw.rejected, earliest=earliest)


def _files(root: Path, table: str) -> list[Path]:
    if not root.is_dir():
        return []
    single = [root / f"{table}{suffix}" for suffix in SUFFIXES]
    folder = root / table
    parts = sorted(file for file in folder.rglob("*") if file.is_file() and is_data(file))
    return [file for file in single if file.is_file()] + parts


def _listing(path: Path) -> str:
    if not path.exists():
        return "no such folder"
    if not path.is_dir():
        return "a file"
    names = sorted(entry.name for entry in path.iterdir())
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "") if names else "an empty folder"


def _check_header(table: str, file: Path) -> None:
    """Before anything is stored; a file that cannot be read is quarantined in its turn."""
    try:
        check_columns(CANONICAL[table], column_names(file), str(file))
    except UnreadableFileError:
        return


def _has_known_at(file: Path) -> bool:
    try:
        return "known_at" in column_names(file)
    except UnreadableFileError:
        return True


def _earliest(listens: list[Path], undated: list[Path], given: str) -> datetime | None:
    if given:
        try:
            return datetime.combine(date.fromisoformat(given), time.min, UTC)
        except ValueError as error:
            raise SegueError(
                f"option known_at: expected a day like 2026-01-31, found {given!r}"
            ) from error
    if not undated:
        return None
    firsts = [first for first in map(_first_day, listens) if first is not None]
    if not firsts:
        raise SegueError(
            f"expected a column known_at in {undated[0]}, or listens beside it that date the history, "
            "found neither. Say when its rows became known: --option known_at=YYYY-MM-DD."
        )
    return datetime.combine(min(firsts), time.min, UTC)


def _first_day(file: Path) -> date | None:
    """UTC date of the first plausible listen of a file, None when it has none."""
    try:
        if "played_at" not in column_names(file):
            return None
        rows = _played_at(file)
    except (UnreadableFileError, pa.ArrowException, OSError):
        return None
    with connect() as connection:
        connection.register("held", rows)
        found = connection.execute(
            f"""
            select min(try_cast(played_at as timestamptz))::date
            from (select played_at::varchar as played_at from held)
            where regexp_matches(played_at, '{ZONED}') and played_at >= '1970-01-02'
            """
        ).fetchall()
    first: date | None = found[0][0]
    return first


def _played_at(file: Path) -> pa.Table:
    if file.suffix == ".parquet":
        return pq.read_table(file, columns=["played_at"], partitioning=None)
    return read_raw(file).rows.select(["played_at"])
