"""Delimited text as batches of rows, with the lines that are none.

Belongs here: opening with delimiter, quotes, encoding and header of a mapping. Does not belong here: what
the columns mean.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from ml.sources.files import UnreadableFileError
from ml.sources.mapping import Mapping
from ml.sources.source import RECORD

BLOCK_BYTES = 1 << 24


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """`rows`: `_record` (int64, from 1) and the file's columns as binary, null where nothing is said.
    `ragged`: (record, reason, text) of lines with too few or too many columns."""

    rows: pa.Table
    ragged: list[tuple[int, str, str]]


def header_of(path: Path, mapping: Mapping) -> list[str]:
    """Names of the file's columns. Raises UnreadableFileError."""
    if isinstance(mapping.header, list):
        return list(mapping.header)
    with _opened(path, mapping, [], {}) as reader:
        names = list(reader.schema.names)
    # Without a header column 1 is called "1".
    return names if mapping.header else [str(place + 1) for place in range(len(names))]


def read_batches(path: Path, mapping: Mapping, block_bytes: int = BLOCK_BYTES) -> Iterator[Batch]:
    """All rows, a block at a time. Raises UnreadableFileError."""
    names = header_of(path, mapping)
    lost: list[tuple[int, str, str]] = []
    types = dict.fromkeys(names, pa.binary())
    last, told = 0, 0
    try:
        with _opened(path, mapping, lost, types, block_bytes) as reader:
            for batch in reader:
                ahead = [number for number, _, _ in lost if number > last]
                free = np.arange(last + 1, last + batch.num_rows + len(ahead) + 1)
                places = np.setdiff1d(free, ahead)[: batch.num_rows]
                rows = pa.Table.from_batches([batch]).rename_columns(names)
                rows = rows.append_column(RECORD, pa.array(places, pa.int64()))
                ragged, told = lost[told:], len(lost)
                yield Batch(rows, ragged)
                last = int(places[-1]) if batch.num_rows else last
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFileError(f"no readable delimited text: {error}") from error
    if lost[told:]:
        yield Batch(pa.table({RECORD: pa.array([], pa.int64())}), lost[told:])


def _opened(
    path: Path,
    mapping: Mapping,
    lost: list[tuple[int, str, str]],
    types: dict[str, pa.DataType],
    block_bytes: int = BLOCK_BYTES,
) -> pacsv.CSVStreamingReader:
    """A reader that appends (record, reason, text) of the lines it leaves out to `lost`."""
    # Arrow counts skipped lines and the header as rows.
    header = mapping.skip_lines + (1 if mapping.header is True else 0)

    def keep(row: pacsv.InvalidRow) -> str:
        reason = f"expected {row.expected_columns} columns, found {row.actual_columns}"
        lost.append((row.number - header, reason, row.text))
        return "skip"

    if path.stat().st_size == 0:
        raise UnreadableFileError("the file is empty (0 bytes)")
    named = list(types) if types and mapping.header is not True else None
    try:
        return pacsv.open_csv(
            pa.input_stream(str(path)),
            # Threads off: only then does Arrow number the rows that it leaves out.
            read_options=pacsv.ReadOptions(
                use_threads=False,
                block_size=block_bytes,
                skip_rows=mapping.skip_lines,
                encoding=mapping.encoding,
                column_names=named,
                autogenerate_column_names=mapping.header is False and named is None,
            ),
            parse_options=_parsing(mapping, keep),
            convert_options=pacsv.ConvertOptions(
                column_types=types, strings_can_be_null=True, null_values=mapping.nulls
            ),
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"no readable delimited text: {error}") from error


def _parsing(mapping: Mapping, keep: Callable[[pacsv.InvalidRow], str]) -> pacsv.ParseOptions:
    return pacsv.ParseOptions(
        delimiter=mapping.delimiter,
        quote_char=mapping.quote or False,
        newlines_in_values=bool(mapping.quote),
        invalid_row_handler=keep,
    )
