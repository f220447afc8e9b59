"""What the lake held before a day, as a digest a table and day.

Belongs here: rows and content of lake days, independent of how they were split into files. Does not belong
here: reading them (ml.lake.store) or what to do about a difference (ml.registry.differences).
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from ml.lake.store import Lake
from ml.tables import CANONICAL

# What a model is made from; impressions are not.
TABLES = ("listens", "tracks", "users", "friendships")
SCHEMA = pa.schema(
    [("table", pa.string()), ("day", pa.date32()), ("rows", pa.int64()), ("digest", pa.string())]
)


def lake_content(lake: Lake, before: date) -> pa.Table:
    """A row a table and day before `before` that holds rows: table, day, rows, digest.

    The digest is the sum of a 64-bit hash of every row, so that neither order nor files matter. The hash
    is DuckDB's, which may change between its versions: the manifest names the version.
    """
    parts = [SCHEMA.empty_table()]
    with duckdb.connect() as connection:
        for name in TABLES:
            days = [day for day in lake.days(name) if day < before]
            files = [path for day in days for path in lake.files(name, day)]
            if files:
                parts.append(_digests(connection, name, files))
    return pa.concat_tables(parts).sort_by([("table", "ascending"), ("day", "ascending")])


def _digests(connection: duckdb.DuckDBPyConnection, name: str, files: Sequence[Path]) -> pa.Table:
    columns = ", ".join(CANONICAL[name].schema.names)
    found: pa.Table = connection.query(
        f"select '{name}' as table, day, count(*) as rows, sum(hash({columns})::hugeint)::varchar as digest "
        "from read_parquet(?, hive_partitioning = true, hive_types = {'day': date}) group by day",
        params=[[str(path) for path in files]],
    ).to_arrow_table()
    return found.cast(SCHEMA)
