"""Which rows the lake knows already, and which contradict what it knows.

Belongs here: comparing judged rows with each other and with the lake, by key and content. Does not
belong here: whether a row is fit by itself (judge.py).

Content is every column but the key and `known_at`: a listen or a friendship that arrives twice is the same
one. Of tracks and users the lake keeps versions: the same content again is known, other content at a later
`known_at` is a new version, other content at the same `known_at` contradicts.
"""

from pathlib import Path

import duckdb

from ml.sources.source import RECORD
from ml.tables import Table

VERSIONED = ("tracks", "users")


def compare(connection: duckdb.DuckDBPyConnection, table: Table, files: list[Path]) -> None:
    """Build `verdicts` from `judged` and the lake's files: as judged, with `is_known` (bool) added.

    A row is accepted when `reason` is null and `is_known` is false.
    """
    columns = ", ".join(f'"{name}"' for name in table.schema.names)
    keys = ", ".join(table.key)
    if files:
        connection.execute(
            f"""
            create or replace temp table held as
            select {columns} from read_parquet($files, hive_partitioning = false)
            semi join (select {keys} from judged where reason is null) using ({keys})
            """,
            {"files": [str(file) for file in files]},
        )
    else:
        connection.execute(
            f"create or replace temp table held as select {columns} from judged limit 0"
        )
    if table.name in VERSIONED:
        _compare_versions(connection, table)
    else:
        _compare_rows(connection, table)


def _content(table: Table) -> list[str]:
    return [name for name in table.schema.names if name not in (*table.key, "known_at")]


def _contradiction(table: Table) -> str:
    at = " at this known_at" if table.name in VERSIONED else ""
    return f"'{' and '.join(table.key)}: known with other content{at}'"


def _compare_rows(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    keys = ", ".join(table.key)
    columns = ", ".join(f'"{name}"' for name in table.schema.names)
    same = " and ".join(
        f'judged."{name}" is not distinct from first."{name}"' for name in _content(table)
    )
    # A friendship is all key: nothing of it can differ.
    same = same or "true"
    joined = " and ".join(f'judged."{name}" = first."{name}"' for name in table.key)
    connection.execute(
        f"""
        create or replace temp table verdicts as
        with doubles as (
            select min({RECORD}) as {RECORD} from judged anti join held using ({keys})
            where reason is null group by {keys} having count(*) > 1
        ),
        first as (
            select 0 as {RECORD}, {columns} from held
            qualify row_number() over (partition by {keys} order by known_at) = 1
            union all
            select {RECORD}, {columns} from judged semi join doubles using ({RECORD})
        )
        select judged.* replace (
                case
                    when judged.reason is not null then judged.reason
                    when first.{RECORD} is null or first.{RECORD} = judged.{RECORD} then null
                    when not ({same}) then {_contradiction(table)}
                end as reason),
            judged.reason is null and first.{RECORD} is not null
                and first.{RECORD} <> judged.{RECORD} and ({same}) as is_known
        from judged left join first on {joined}
        """
    )


def _compare_versions(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    keys = ", ".join(table.key)
    packed = ", ".join(f'"{name}" := "{name}"' for name in _content(table))
    connection.execute(
        f"""
        create or replace temp table verdicts as
        with versions as (
            select 0 as {RECORD}, {keys}, known_at, struct_pack({packed}) as content from held
            union all
            select {RECORD}, {keys}, known_at, struct_pack({packed}) from judged where reason is null
        ),
        instants as (
            select *, row_number() over instant as place, first_value(content) over instant as kept
            from versions window instant as (partition by {keys}, known_at order by {RECORD})
        ),
        changes as (
            select {RECORD}, lag(content) over (partition by {keys} order by known_at) as earlier
            from instants where place = 1
        ),
        compared as (
            select {RECORD},
                place > 1 and content is distinct from kept as contradicts,
                (place > 1 and content is not distinct from kept)
                    or (place = 1 and earlier is not null and content is not distinct from earlier)
                    as is_known
            from (from instants where {RECORD} > 0)
            left join (from changes where {RECORD} > 0) using ({RECORD})
        )
        select judged.* replace (
                case when contradicts then {_contradiction(table)} else reason end as reason),
            coalesce(is_known, false) as is_known
        from judged left join compared using ({RECORD})
        """
    )
