"""Rows and files that could not enter the lake, kept with the reason and the place they came from.

Belongs here: writing, listing and reading back what is quarantined. Does not belong here: the decision
(judge.py, known.py) or letting rows in again (replay.py).
"""

import shutil
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml.files import replace_file, replace_table
from ml.lake.store import Lake
from ml.sources.source import RECORD, SourceFile

# `raw`: the row as a JSON object by canonical column names and further names of the source; for a file
# that could not be read at all, the path of the kept copy. `is_replayable`: whether judging `raw` again
# can have another end; otherwise the source file has to be mended. `source` as in SourceFile.
QUARANTINE = pa.schema(
    [
        ("table", pa.string()),
        ("source_file", pa.string()),
        (RECORD.strip("_"), pa.int64()),
        ("reason", pa.string()),
        ("raw", pa.string()),
        ("is_replayable", pa.bool_()),
        ("source", pa.string()),
        ("digest", pa.string()),
    ]
)


def quarantined(file: SourceFile, found: pa.Table, *, is_replayable: bool) -> pa.Table:
    """Rows of QUARANTINE from rows of source.REJECTED."""
    count = found.num_rows

    def same(value: str | bool) -> pa.Array:
        return pa.repeat(pa.scalar(value), count)

    columns = [
        same(file.table),
        same(file.path),
        found[RECORD],
        found["reason"],
        found["raw"],
        same(is_replayable),
        same(file.source),
        same(file.digest),
    ]
    return pa.table(columns, schema=QUARANTINE)


def write_quarantine(lake: Lake, table: str, digest: str, rows: pa.Table) -> None:
    """Replace what is quarantined of this source content; no rows: nothing is any more."""
    target = lake.quarantine / table / f"{digest}.parquet"
    if rows.num_rows == 0:
        target.unlink(missing_ok=True)
        return
    replace_table(target, rows.sort_by([("record", "ascending")]), compression="zstd")


def keep_file(lake: Lake, file: SourceFile) -> pa.Table:
    """Copy a file that could not be read at all; returns its one row of QUARANTINE."""
    copy = Path(file.path)
    if file.original is not None:
        copy = lake.quarantine / file.table / "files" / f"{file.digest}-{file.original.name}"
        replace_file(copy, partial(shutil.copyfile, file.original))
    row = {RECORD: [None], "reason": [file.unreadable], "raw": [str(copy)]}
    types = {RECORD: pa.int64(), "reason": pa.string(), "raw": pa.string()}
    found = pa.table({name: pa.array(value, types[name]) for name, value in row.items()})
    return quarantined(file, found, is_replayable=False)


def quarantine_files(lake: Lake) -> list[Path]:
    """Files of quarantined rows, by table and digest."""
    return sorted(lake.quarantine.glob("*/*.parquet"))


def read_quarantine(lake: Lake) -> pa.Table:
    """Everything quarantined (QUARANTINE), by table, digest and record."""
    files = quarantine_files(lake)
    if not files:
        return QUARANTINE.empty_table()
    return pa.concat_tables(pq.read_table(file, schema=QUARANTINE) for file in files)


def count_reasons(rows: pa.Table) -> dict[str, int]:
    """Rows of QUARANTINE by reason, most frequent first."""
    counts = pc.value_counts(rows["reason"].combine_chunks()).to_pylist()
    ordered = sorted(counts, key=lambda found: (-found["counts"], found["values"]))
    return {found["values"]: found["counts"] for found in ordered}
