"""Format `events`: the journal of listens and impressions that the online service received.

Belongs here: where segments lie, which days are closed, a segment as raw rows. Does not belong here:
writing (ml/serving/events), types and rules of the columns (ml/lake/judge.py).

`day=YYYY-MM-DD/0001.jsonl`: segments of one writer and UTC day of receipt, one event a line: `kind`, the
columns of its table, `known_at`; `0002-shown.jsonl` holds what a service's own answers showed. `closed_before` holds the first day that is still open: a closed day's
segments are never written again. A last line without its end was never acknowledged and is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from ml.errors import SegueError
from ml.sources.files import connect, quoted, rejected_lines
from ml.sources.source import RECORD, Source, SourceFile, digest_of
from ml.tables import IMPRESSIONS, LISTENS, Table

OPTIONS = {"first": "", "last": ""}

KINDS: Mapping[str, Table] = {"listen": LISTENS, "impression": IMPRESSIONS}
CLOSED_BEFORE = "closed_before"
# How names of segments end, and of those that hold nothing but impressions of the service's own answers:
# whoever looks for listens opens none of these.
SEGMENT = ".jsonl"
SHOWN_SEGMENT = "-shown.jsonl"

_DAY = "day="
_NO_EVENT = f"no event: expected a JSON object whose kind is one of {', '.join(KINDS)}"
_COLUMNS = tuple(dict.fromkeys(name for table in KINDS.values() for name in table.schema.names))


def day_folder(folder: Path, day: date) -> Path:
    """Folder of the segments received on a UTC day."""
    return folder / f"{_DAY}{day.isoformat()}"


def event_days(folder: Path) -> list[date]:
    """Days of receipt that have a folder, ascending."""
    return sorted(
        date.fromisoformat(found.name.removeprefix(_DAY)) for found in folder.glob(f"{_DAY}*")
    )


def segments(folder: Path, day: date) -> list[Path]:
    """Segments of a day in the order in which they were begun."""
    return sorted(day_folder(folder, day).glob("*.jsonl"))


def closed_before(folder: Path) -> date | None:
    """The first open day; None while no day was closed."""
    try:
        return date.fromisoformat((folder / CLOSED_BEFORE).read_text().strip())
    except FileNotFoundError:
        return None


def read(path: Path, options: Mapping[str, str]) -> Source:
    """Source of a journal's closed days; options `first` and `last` (ISO days) take a part of them.

    Raises SegueError for a folder without a closed day and for options that are no days.
    """
    closed = closed_before(path) if path.is_dir() else None
    if closed is None:
        raise SegueError(
            f"expected in {path} a journal of events with closed days, found no file "
            f"{CLOSED_BEFORE}: segue run daily closes a day, or name the right format: "
            "segue import FORMAT PATH"
        )
    first, last = (_option_day(name, options[name]) for name in OPTIONS)
    days = [
        day
        for day in event_days(path)
        if day < closed and (first is None or day >= first) and (last is None or day <= last)
    ]
    return read_days(path, days)


def read_days(folder: Path, days: Sequence[date]) -> Source:
    """Source of the segments of the days, which must be closed; notes tell of ends left out."""
    paths = [path for day in days for path in segments(folder, day)]
    torn = [(path, size) for path in paths if (size := _torn_bytes(path))]
    notes = tuple(
        f"{_name(path)} ends in {size:,} bytes of a line that was never acknowledged: left out."
        for path, size in torn
    )
    return Source(_SegmentFiles(tuple(paths)), notes)


class _SegmentFiles:
    """Source files of segments, read one segment at a time and as often as asked."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self._paths = paths

    def __iter__(self) -> Iterator[SourceFile]:
        with connect() as connection:
            for path in self._paths:
                yield from _read_segment(connection, path)


def _read_segment(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[SourceFile]:
    """One source file a table of which the segment holds rows; lines that are no event go with the first."""
    parts: dict[str, list[pa.Table]] = {kind: [] for kind in KINDS}
    wrong: list[pa.Table] = []
    for lines in _numbered_lines(path):
        _parse(connection, lines)
        wrong.append(_no_events(connection))
        for kind, table in KINDS.items():
            parts[kind].append(_rows(connection, kind, table))
    if not wrong:
        return
    rejected = pa.concat_tables(wrong)
    for kind, table in KINDS.items():
        rows = pa.concat_tables(parts.pop(kind))
        if rows.num_rows or rejected.num_rows:
            digest = digest_of([path], "events", table.name)
            yield SourceFile(_name(path), table.name, "events", digest, rows, rejected)
        rejected = rejected.slice(0, 0)


def _numbered_lines(path: Path) -> Iterator[pa.Table]:
    """Blocks of `_record` (from 1) and `line`; a last line without its end is left out."""
    rest, seen = b"", 0
    with path.open("rb") as stream:
        while block := stream.read(_READ_BYTES):
            *lines, rest = (rest + block).split(b"\n")
            if lines:
                places = pa.array(np.arange(seen + 1, seen + len(lines) + 1), pa.int64())
                yield pa.table({RECORD: places, "line": pa.array(lines, pa.binary())})
                seen += len(lines)


def _no_events(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    return rejected_lines(
        connection.execute(
            f"select {RECORD}, '{_NO_EVENT}', line::varchar from parsed "
            f"where kind is null or kind not in {tuple(KINDS)} order by {RECORD}"
        ).fetchall()
    )


def _parse(connection: duckdb.DuckDBPyConnection, held: pa.Table) -> None:
    """Relation `parsed` of `_record`, `line`, `kind` and every column as text."""
    shape = ", ".join(f'"{name}": "VARCHAR"' for name in ("kind", *_COLUMNS))
    columns = ", ".join(f"event.{quoted(name)}" for name in ("kind", *_COLUMNS))
    connection.register("held", held)
    connection.execute(
        f"""
        create or replace temp table parsed as
        with texts as (select {RECORD}, line, try(decode(line)) as text from held),
        events as (
            select {RECORD}, line,
                case when json_valid(text) then try(from_json(text, '{{{shape}}}')) end as event
            from texts
        )
        select {RECORD}, line, {columns} from events
        """
    )


def _rows(connection: duckdb.DuckDBPyConnection, kind: str, table: Table) -> pa.Table:
    columns = ", ".join(quoted(name) for name in table.schema.names)
    return connection.query(
        f"select {RECORD}, {columns} from parsed where kind = $kind order by {RECORD}",
        params={"kind": kind},
    ).to_arrow_table()


def _torn_bytes(path: Path) -> int:
    """Bytes after the last end of a line, looked for from the end."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        for back in range(1, size // _BLOCK + 2):
            start = max(size - back * _BLOCK, 0)
            stream.seek(start)
            found = stream.read(_BLOCK).rfind(b"\n")
            if found >= 0:
                return size - start - found - 1
    return size


_BLOCK = 1 << 16
# Lines that are parsed at once: parsing takes several times their size.
_READ_BYTES = 1 << 22


def _name(path: Path) -> str:
    return "/".join(path.parts[-3:])


def _option_day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SegueError(
            f"option {name}: expected a day like 2026-01-31, found {text!r}: "
            f"segue import events PATH --option {name}=YYYY-MM-DD"
        ) from error
