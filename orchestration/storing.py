"""Writing warehouse rows from an asset.

Belongs here: what orchestration itself stores. Does not belong here: what ml and
monitoring store themselves.
"""

from datetime import date

import duckdb

from monitoring.areas import AreaReport


def store_numbers(connection: duckdb.DuckDBPyConnection, report: AreaReport) -> int:
    """Replace the report's day in `monitoring.<area>`, one row a measure; returns the rows written."""
    connection.execute("create schema if not exists monitoring")
    table = f"monitoring.{report.area}"
    connection.execute(
        f"create table if not exists {table} (day date, verdict varchar, status varchar, "
        "model_version varchar, measure varchar, value double)"
    )
    row = (report.verdict.value, report.status, report.model_version)
    rows: list[tuple[date, str, str, str | None, str, float]] = [
        (report.day, *row, name, value) for name, value in report.numbers.items()
    ]
    connection.execute("begin")
    connection.execute(f"delete from {table} where day = ?", [report.day])
    if rows:
        connection.executemany(f"insert into {table} values (?, ?, ?, ?, ?, ?)", rows)
    connection.execute("commit")
    return len(rows)
