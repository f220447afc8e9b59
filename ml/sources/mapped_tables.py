"""Rows of mapped files as plays, and as what describes them: tracks, users and friendships.

Belongs here: the SQL of a whole row, and why a row is none. Does not belong here: the value of one column
(mapped.py), types and rules (ml/lake/judge.py).
"""

from collections.abc import Mapping as Values
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from ml.sources.delimited_rows import read_batches
from ml.sources.files import UnreadableFileError, connect, quoted, rejected_lines
from ml.sources.mapped import value_of
from ml.sources.mapping import ALLOWED, LENGTHS, TIMES, Mapping, TableMapping
from ml.sources.names import define_name_ids
from ml.sources.plays import COLUMNS, Origin
from ml.sources.source import RECORD, REJECTED, SourceFile, digest_of

_BROKEN = "broken encoding: not the one of the mapping"


def stage_listens(
    connection: duckdb.DuckDBPyConnection, number: int, file: Path, mapping: Mapping, told: Path
) -> Origin:
    """Add the plays of a file to the staged ones; a file that breaks off half-way adds none."""
    digest = digest_of([file, told], "csv", "listens")
    table = mapping.listens
    values = {**_play_values(table), "file": str(number)}
    selected = ", ".join(f"{values.get(name, 'null')} as {name}" for name in COLUMNS)
    try:
        for batch in read_batches(file, mapping):
            connection.register("lost", rejected_lines(batch.ragged))
            connection.execute(
                "insert into plays (file, record, reason, raw) "
                f"select {number}, {RECORD}, reason, raw from lost"
            )
            if batch.rows.num_columns > 1:
                connection.register("block", batch.rows)
                cells = _cells(batch.rows, _problems(table, values))
                connection.execute(
                    f"insert into plays with cells as ({cells}) select {selected} from cells"
                )
    except UnreadableFileError as error:
        connection.execute("delete from plays where file = ?", [number])
        return Origin(file.name, file, digest, str(error))
    return Origin(file.name, file, digest)


def _play_values(table: TableMapping) -> dict[str, str]:
    """SQL of every staged column that the mapping gives; ids that it leaves out are made of names."""
    values = {name: value_of(name, table) for name in COLUMNS if name in ALLOWED["listens"]}
    artist, title = values["artist_name"], values["title"]
    if values["track_id"] == "null":
        values["track_id"] = f"track_name_id({artist}, {title})"
    if values["artist_id"] == "null":
        values["artist_id"] = f"artist_name_id({artist})"
    return {
        **values,
        "record": RECORD,
        "reason": '"_problem"',
        "raw": 'case when "_problem" is not null then "_raw" end',
    }


def _problems(table: TableMapping, values: Values[str, str]) -> list[str]:
    """SQL conditions and reasons of a play that cannot be staged."""
    problems = []
    for name, columns in table.used().items():
        if name in (*TIMES, *LENGTHS):
            given = f"said({quoted(columns[0])}) is not null"
            problems.append(
                f"when {given} and ({values[name]}) is null then '{name}: not what the mapping says'"
            )
    return problems + [
        f"when ({values[name]}) is null then '{name}: missing'"
        for name in ("played_at", "track_id", "user_id")
    ]


def _cells(rows: pa.Table, problems: list[str]) -> str:
    """SQL of the relation `block` as texts, with `_problem` and the row as JSON in `_raw`."""
    names = [quoted(name) for name in rows.column_names if name != RECORD]
    texts = ", ".join(f"try(decode({name})) as {name}" for name in names)
    broken = " or ".join(f"({name} is not null and try(decode({name})) is null)" for name in names)
    shown = ", ".join(f"{name} := coalesce(try(decode({name})), {name}::varchar)" for name in names)
    return f"""
        with decoded as (
            select {RECORD}, {broken} as "_broken", to_json(struct_pack({shown}))::varchar as "_raw",
                {texts}
            from block
        )
        select *, case when "_broken" then '{_BROKEN}' {" ".join(problems)} end as "_problem" from decoded
    """


def described(
    name: str,
    table: TableMapping,
    file: Path,
    mapping: Mapping,
    told: Path,
    earliest: datetime | None,
) -> SourceFile:
    """A file of tracks, users or friendships, known with the first play where the file does not say."""
    digest = digest_of([file, told], "csv", name, str(earliest))
    values = {key: value_of(key, table) for key in ALLOWED[name] if key in _given(table)}
    parts, bad = [], [REJECTED.empty_table()]
    try:
        with connect() as connection:
            define_name_ids(connection)
            for batch in read_batches(file, mapping):
                bad.append(rejected_lines(batch.ragged))
                if batch.rows.num_columns > 1:
                    kept, lost = _kept_and_lost(connection, batch.rows, table, values)
                    parts.append(kept)
                    bad.append(lost)
    except UnreadableFileError as error:
        return SourceFile(
            file.name, name, "csv", digest, None, unreadable=str(error), original=file
        )
    rows = pa.concat_tables(parts) if parts else _nothing(values)
    return SourceFile(
        file.name, name, "csv", digest, rows, pa.concat_tables(bad), earliest=earliest
    )


def _kept_and_lost(
    connection: duckdb.DuckDBPyConnection,
    rows: pa.Table,
    table: TableMapping,
    values: Values[str, str],
) -> tuple[pa.Table, pa.Table]:
    """Described rows, and those that the mapping does not fit as REJECTED."""
    connection.register("block", rows)
    cells = f"with cells as ({_cells(rows, _wrong(table, values))})"
    selected = ", ".join(f"{value} as {key}" for key, value in values.items())
    kept = connection.query(
        f'{cells} select {RECORD}, {selected} from cells where "_problem" is null order by {RECORD}'
    ).to_arrow_table()
    lost = connection.query(
        f'{cells} select {RECORD}, "_problem" as reason, "_raw" as raw from cells '
        f'where "_problem" is not null order by {RECORD}'
    ).to_arrow_table()
    return kept, lost.cast(REJECTED)


def _given(table: TableMapping) -> set[str]:
    return {*table.columns, *table.constants}


def _wrong(table: TableMapping, values: Values[str, str]) -> list[str]:
    """Problems of a described row that the lake would not see: it gets the value, not the text."""
    return [
        f"when said({quoted(columns[0])}) is not null and ({values[key]}) is null "
        f"then '{key}: not what the mapping says'"
        for key, columns in table.used().items()
        if key in (*TIMES, *LENGTHS)
    ]


def _nothing(values: Values[str, str]) -> pa.Table:
    columns = {RECORD: pa.array([], pa.int64())}
    return pa.table({**columns, **{key: pa.array([], pa.string()) for key in values}})
