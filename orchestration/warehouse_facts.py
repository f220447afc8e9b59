"""What the warehouse says about itself after dbt has ended.

Belongs here: built ranges, row counts, column types. Does not belong here: building.
"""

from collections.abc import Iterable, Mapping
from datetime import date

import duckdb


def built_until(connection: duckdb.DuckDBPyConnection) -> dict[str, date]:
    """The day before which each relation is built (empty before the first build)."""
    found = connection.execute(
        "select count(*) from information_schema.tables "
        "where table_schema = 'intermediate' and table_name = 'built_ranges'"
    ).fetchall()
    if not found[0][0]:
        return {}
    rows = connection.execute("select relation, end_day from intermediate.built_ranges").fetchall()
    return dict(rows)


def row_counts(
    connection: duckdb.DuckDBPyConnection, relations: Iterable[str]
) -> Mapping[str, int]:
    """Rows of each `schema.name` that exists."""
    known = set(column_types(connection))
    wanted = [name for name in relations if name in known]
    if not wanted:
        return {}
    query = " union all ".join(f"select '{name}', count(*) from {name}" for name in wanted)
    return dict(connection.execute(query).fetchall())


def column_types(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Columns and types of every relation, by `schema.name`."""
    rows = connection.execute(
        "select table_schema || '.' || table_name, column_name, data_type "
        "from information_schema.columns order by 1, ordinal_position"
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for relation, column, kind in rows:
        found.setdefault(relation, {})[column] = kind
    return found
