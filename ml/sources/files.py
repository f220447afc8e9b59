"""CSV and Parquet files as raw Arrow tables in which nothing was guessed and nothing dropped.

Belongs here: opening files, record numbers, ragged lines and broken encodings. Does not belong here:
what the columns mean.
"""

import codecs
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from ml.errors import SegueError
from ml.sources.source import RECORD, REJECTED

SUFFIXES = (".parquet", ".csv", ".csv.gz")
# Text of an instant with its zone, as ISO 8601 writes it.
ZONED = r"^\s*\d{4}-\d{2}-\d{2}[T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*([zZ]|UTC|[+-]\d{2}(:?\d{2})?)\s*$"
_MARK = "\ufffd\\x"


class UnreadableFileError(SegueError):
    """A file that cannot be read at all; the message is the reason."""


@dataclass(frozen=True, slots=True, eq=False)
class RawFile:
    """`rows`: the file's columns and `_record` (int64 from 1); CSV columns are text, empty = null.

    `rejected` (source.REJECTED): lines without a place in the table, rows that are not UTF-8.
    """

    rows: pa.Table
    rejected: pa.Table


def is_data(path: Path) -> bool:
    """Whether the file's name says CSV or Parquet."""
    return path.name.endswith(SUFFIXES) and not path.name.startswith(".")


def connect() -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own in memory, in UTC, that never downloads an extension and shows no bar."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    return connection


def quoted(name: str) -> str:
    """A column name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def read_raw(path: Path) -> RawFile:
    """All rows of a CSV or Parquet file. Raises UnreadableFileError."""
    if path.stat().st_size == 0:
        raise UnreadableFileError("the file is empty (0 bytes)")
    return _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)


def column_names(path: Path) -> list[str]:
    """Names in the header, without reading rows. Raises UnreadableFileError."""
    if path.stat().st_size == 0:
        raise UnreadableFileError("the file is empty (0 bytes)")
    try:
        if path.suffix == ".parquet":
            return list(pq.read_schema(path).names)
        with pa.input_stream(str(path)) as stream:
            return _header(stream)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(str(error)) from error


def _read_parquet(path: Path) -> RawFile:
    try:
        table = pq.read_table(path, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFileError(f"no readable Parquet: {error}") from error
    _refuse_twice(table.column_names)
    return raw_table(table)


def raw_table(table: pa.Table) -> RawFile:
    """An Arrow table as a raw file: records numbered, text that is not UTF-8 rejected."""
    table = _numbered(pa.table({name: _plain(table[name]) for name in table.column_names}))
    broken = [name for name in table.column_names if not _is_sound(table[name])]
    if not broken:
        return RawFile(table, REJECTED.empty_table())
    connection = connect()
    for name in broken:
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].cast(pa.binary()))
    connection.register("held", table)
    sound = ", ".join(f"try(decode({quoted(name)})) as {quoted(name)}" for name in broken)
    shown = ", ".join(f"{quoted(name)}::varchar as {quoted(name)}" for name in broken)
    fails = " or ".join(
        f"({quoted(name)} is not null and try(decode({quoted(name)})) is null)" for name in broken
    )
    rows = connection.query(
        f"select * replace ({sound}) from held where not ({fails}) order by {RECORD}"
    ).to_arrow_table()
    bad = connection.query(
        f"select * replace ({shown}) from held where {fails} order by {RECORD}"
    ).to_arrow_table()
    return RawFile(rows, rejected_rows(bad, "broken encoding: expected UTF-8"))


def _numbered(table: pa.Table) -> pa.Table:
    places = pa.array(np.arange(1, table.num_rows + 1), pa.int64())
    if RECORD in table.column_names:
        table = table.drop_columns([RECORD])
    return table.append_column(RECORD, places)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without dictionary encoding and in the ordinary string type."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        return column.cast(pa.string())
    return column


def _is_sound(column: pa.ChunkedArray) -> bool:
    """Whether text is UTF-8: Parquet readers do not look."""
    if not pa.types.is_string(column.type):
        return True
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _read_csv(path: Path) -> RawFile:
    try:
        if is_utf8(path):
            return _parse_csv(lambda: pa.input_stream(str(path)))
        with pa.input_stream(str(path)) as stream:
            return _parse_marked(stream.read())
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFileError(f"no readable CSV: {error}") from error


def is_utf8(path: Path) -> bool:
    """Whether the whole file (unpacked) is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with pa.input_stream(str(path)) as stream:
        while block := stream.read(1 << 24):
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return False
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _parse_marked(content: bytes) -> RawFile:
    """A CSV with bytes that are no UTF-8: they are marked in the text, and rows with a mark rejected."""
    codecs.register_error("segue-mark", _mark)
    text = content.decode("utf-8", errors="segue-mark").encode()
    raw = _parse_csv(lambda: pa.BufferReader(text))
    marked = pa.array(np.zeros(raw.rows.num_rows, dtype=bool))
    for name in raw.rows.column_names:
        if name != RECORD:
            found = pc.match_substring(raw.rows[name], _MARK)
            marked = pc.or_(marked, pc.fill_null(found, fill_value=False))
    bad = rejected_rows(raw.rows.filter(marked), "broken encoding: expected UTF-8")
    return RawFile(raw.rows.filter(pc.invert(marked)), pa.concat_tables([raw.rejected, bad]))


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(f"{_MARK}{byte:02x}" for byte in lost), error.end


def _header(stream: pa.NativeFile) -> list[str]:
    head = stream.read(1 << 20).partition(b"\n")[0] + b"\n"
    names = list(pacsv.read_csv(pa.BufferReader(head)).column_names)
    _refuse_twice(names)
    return names


def _refuse_twice(names: list[str]) -> None:
    lower = [name.lower() for name in names]
    twice = sorted({name for name in lower if lower.count(name) > 1})
    if twice:
        raise UnreadableFileError(f"columns stand twice in it: {', '.join(twice)}")


def _parse_csv(opened: Callable[[], pa.NativeFile]) -> RawFile:
    with opened() as stream:
        text = dict.fromkeys(_header(stream), pa.string())
    ragged: list[tuple[int, str, str]] = []

    def keep(row: pacsv.InvalidRow) -> str:
        reason = f"expected {row.expected_columns} columns, found {row.actual_columns}"
        ragged.append((row.number - 1, reason, row.text))
        return "skip"

    with opened() as stream:
        rows = pacsv.read_csv(
            stream,
            # Threads off: only then does Arrow number the rows that it leaves out.
            read_options=pacsv.ReadOptions(use_threads=False, block_size=1 << 24),
            parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep),
            convert_options=pacsv.ConvertOptions(
                column_types=text, strings_can_be_null=True, null_values=[""]
            ),
        )
    places = np.setdiff1d(
        np.arange(1, rows.num_rows + len(ragged) + 1), [number for number, _, _ in ragged]
    )
    if RECORD in rows.column_names:
        rows = rows.drop_columns([RECORD])
    rows = rows.append_column(RECORD, pa.array(places, pa.int64()))
    return RawFile(rows, rejected_lines(ragged))


def rejected_lines(lines: Iterable[tuple[int, str, str]]) -> pa.Table:
    """Rejected rows from (record, reason, text of the line)."""
    held = list(lines)
    raw = pa.table({"line": pa.array([text for _, _, text in held], pa.string())})
    return pa.table(
        [
            pa.array([number for number, _, _ in held], pa.int64()),
            pa.array([reason for _, reason, _ in held], pa.string()),
            as_json(raw),
        ],
        schema=REJECTED,
    )


def rejected_rows(rows: pa.Table, reason: str) -> pa.Table:
    """Rejected rows, all for one reason; `rows` has `_record`."""
    content = rows.drop_columns([RECORD])
    return pa.table(
        [rows[RECORD], pa.repeat(pa.scalar(reason), rows.num_rows), as_json(content)],
        schema=REJECTED,
    )


def as_json(rows: pa.Table) -> pa.ChunkedArray:
    """Every row as a JSON object (string)."""
    if rows.num_rows == 0:
        return pa.chunked_array([], pa.string())
    connection = connect()
    connection.register("held", rows)
    found = connection.query("select to_json(held)::varchar as raw from held").to_arrow_table()
    raw: pa.ChunkedArray = found["raw"].cast(pa.string())
    return raw
