"""Letting quarantined rows in after a fix.

Belongs here: judging the kept rows again, as known on the day of the replay. Does not belong here:
mending rows; a file that could not be read is mended at its source and imported again.
"""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml.lake.ingest import Progress, file_report, reach_verdict, store
from ml.lake.quarantine import QUARANTINE, quarantine_files, write_quarantine
from ml.lake.report import FileReport, ImportReport
from ml.lake.store import Lake
from ml.sources.files import connect
from ml.sources.source import RECORD, SourceFile
from ml.tables import CANONICAL


def replay_quarantine(lake: Lake, day: date, *, progress: Progress | None = None) -> ImportReport:
    """Judge every quarantined row again; those that are fit now enter as known on `day`.

    Days before `day` do not change. Rows that still do not fit stay with the reason they had. Received
    counts every quarantined row.
    """
    reports = []
    for path in quarantine_files(lake):
        report = _replay_file(lake, path, day)
        reports.append(report)
        if progress is not None:
            progress(report.path, report.received)
    return ImportReport(tuple(reports))


def _replay_file(lake: Lake, path: Path, day: date) -> FileReport:
    held = pq.read_table(path, schema=QUARANTINE)
    again = held.filter(held["is_replayable"])
    first = held.slice(0, 1).to_pylist()[0]
    file = SourceFile(
        first["source_file"],
        first["table"],
        first["source"],
        first["digest"],
        _parsed(again, first["table"]),
    )
    verdict = reach_verdict(lake, file, day)
    store(lake, file, verdict.accepted)
    still = pc.is_in(held["record"], value_set=verdict.rejected[RECORD].combine_chunks())
    rest = held.filter(pc.or_(pc.invert(held["is_replayable"]), still))
    write_quarantine(lake, file.table, file.digest, rest)
    return file_report(file, verdict, rest, held.num_rows)


def _parsed(rows: pa.Table, table: str) -> pa.Table:
    """Rows of QUARANTINE as raw rows of their table: every column text, lists as JSON. There may be none: a
    file that could not be read has no row that can be judged again."""
    names = CANONICAL[table].schema.names
    columns = [f'raw ->> \'$."{name}"\' as "{name}"' for name in names]
    with connect() as connection:
        connection.register("held", rows)
        return connection.query(
            f"select {', '.join([f'record as {RECORD}', *columns])} from held"
        ).to_arrow_table()
