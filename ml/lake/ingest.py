"""From files to the lake: judge, compare, store, count.

Belongs here: the order of the steps and the counting. Does not belong here: the steps themselves.

Quarantine is written before the days, and the days one by one, each atomically: a run that is killed
leaves whole days behind and a second run adds the missing ones.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ml.errors import SegueError
from ml.lake.judge import judge
from ml.lake.known import compare
from ml.lake.quarantine import count_reasons, keep_file, quarantined, write_quarantine
from ml.lake.report import FileReport, ImportReport, joined
from ml.lake.store import Lake
from ml.sources.files import connect, quoted, raw_table
from ml.sources.source import RECORD, REJECTED, Source, SourceFile
from ml.tables import CANONICAL, Table

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """`accepted`: canonical rows by (day, key) with `day`; `rejected`: source.REJECTED, by record."""

    accepted: pa.Table
    rejected: pa.Table
    already_known: int


def ingest(
    lake: Lake,
    batches: Iterable[SourceFile],
    *,
    replay_day: date | None = None,
    not_before: date | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Store the files one after the other; `progress` hears (path, rows received) after each
    file or part of one.

    `replay_day`: the day on which every row becomes known, whatever the files say. `not_before`: the day on
    which rows become known at the earliest, because the days before it are lived.
    Raises MissingColumnsError; files before it are in the lake then, nothing of it.
    """
    reports = []
    for file in batches:
        report = _ingest_file(lake, file, replay_day, not_before)
        reports.append(report)
        if progress is not None:
            progress(report.path, report.received)
    return ImportReport(joined(reports))


def ingest_source(
    lake: Lake,
    source: Source,
    *,
    replay_day: date | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """As `ingest`, with the notes and limits of the source in the report."""
    report = ingest(lake, source.files, replay_day=replay_day, progress=progress)
    return replace(report, notes=source.notes, limits=source.limits)


def ingest_table(
    lake: Lake, table_name: str, arrow_table: pa.Table, source_name: str
) -> ImportReport:
    """Store a table in memory; `source_name` names the origin in derived ids and in the report.

    Raises:
        SegueError: no canonical table has that name.
    """
    if table_name not in CANONICAL:
        raise SegueError(f"expected a table of {', '.join(CANONICAL)}, found {table_name!r}")
    raw = raw_table(arrow_table)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, arrow_table.schema) as writer:
        writer.write_table(arrow_table.combine_chunks())
    digest = hashlib.sha256(sink.getvalue()).hexdigest()[:32]
    file = SourceFile(source_name, table_name, source_name, digest, raw.rows, raw.rejected)
    return ingest(lake, [file])


def reach_verdict(
    lake: Lake, file: SourceFile, replay_day: date | None, not_before: date | None = None
) -> Verdict:
    """Judge the rows of a readable file and compare them with the lake; nothing is written."""
    table = CANONICAL[file.table]
    rows = file.rows if file.rows is not None else REJECTED.empty_table()
    with connect() as connection:
        judge(connection, table, file, replay_day, not_before)
        files = [path for day in lake.days(table.name) for path in lake.files(table.name, day)]
        compare(connection, table, files)
        known = connection.execute("select count(*) from verdicts where is_known").fetchall()
        return Verdict(
            _accepted(connection, table),
            _rejected(connection, rows.schema),
            int(known[0][0]),
        )


def store(lake: Lake, file: SourceFile, accepted: pa.Table) -> None:
    """Add accepted rows (Verdict.accepted) day by day."""
    schema = CANONICAL[file.table].schema
    days = accepted["day"]
    start = 0
    counts = pc.value_counts(days.combine_chunks()).to_pylist()
    for found in sorted(counts, key=lambda found: found["values"]):
        rows = accepted.slice(start, found["counts"]).select(schema.names)
        lake.add(file.table, found["values"], file.digest, rows.cast(schema))
        start += found["counts"]


def file_report(file: SourceFile, verdict: Verdict, bad: pa.Table, received: int) -> FileReport:
    """Counts of one file; `bad` are its rows of QUARANTINE.

    Raises:
        AssertionError: the counts do not add up to `received`, which is a defect of Segue.
    """
    counts = (verdict.accepted.num_rows, verdict.already_known, bad.num_rows)
    if sum(counts) != received:
        raise AssertionError(f"{file.path}: {received} rows received, {counts} accounted for")
    days = verdict.accepted["day"]
    return FileReport(
        file.path,
        file.table,
        received,
        *counts,
        count_reasons(bad),
        days[0].as_py() if len(days) else None,
        days[-1].as_py() if len(days) else None,
    )


def _ingest_file(
    lake: Lake, file: SourceFile, replay_day: date | None, not_before: date | None
) -> FileReport:
    if file.rows is None:
        bad = keep_file(lake, file)
        write_quarantine(lake, file.table, file.digest, bad)
        return FileReport(file.path, file.table, 1, 0, 0, 1, count_reasons(bad))
    verdict = reach_verdict(lake, file, replay_day, not_before)
    bad = pa.concat_tables(
        [
            quarantined(file, file.rejected, is_replayable=False),
            quarantined(file, verdict.rejected, is_replayable=True),
        ]
    )
    write_quarantine(lake, file.table, file.digest, bad)
    store(lake, file, verdict.accepted)
    return file_report(file, verdict, bad, file.rows.num_rows + file.rejected.num_rows)


def _accepted(connection: duckdb.DuckDBPyConnection, table: Table) -> pa.Table:
    keys = ", ".join(table.key)
    names = ", ".join(f'"{name}"' for name in table.schema.names)
    order = f"{keys}, known_at" if "known_at" not in table.key else keys
    return connection.query(
        f"""
        select {names}, known_at::date as day from verdicts
        where reason is null and not is_known order by day, {order}
        """
    ).to_arrow_table()


def _rejected(connection: duckdb.DuckDBPyConnection, raw: pa.Schema) -> pa.Table:
    columns = ", ".join(
        f"{quoted(field.name)} := {_as_json_value(field)}" for field in raw if field.name != RECORD
    )
    rows = connection.query(
        f"""
        select {RECORD}, bad.reason, to_json(struct_pack({columns}))::varchar as raw
        from raw join (from verdicts where reason is not null) as bad using ({RECORD})
        order by {RECORD}
        """
    ).to_arrow_table()
    return rows.cast(REJECTED)


def _as_json_value(field: pa.Field) -> str:
    value = f"raw.{quoted(field.name)}"
    # JSON has no word for NaN and infinity.
    return f"nullif({value}::varchar, 'nan')" if pa.types.is_floating(field.type) else value
