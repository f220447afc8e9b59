"""SQL of mapped values: texts of the file's columns as what the canonical column wants.

Belongs here: times, lengths, ids of several columns, constants. Does not belong here: which columns
there are (mapping.py), judging (ml/lake/judge.py).
"""

import duckdb

from ml.errors import SegueError
from ml.sources.files import ZONED, connect, quoted
from ml.sources.mapping import DATES, LENGTHS, TIMES, Column, TableMapping

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_MILLISECONDS = {"": 1, "ms": 1, "s": 1_000, "min": 60_000}
_LATEST = 7_258_118_400


def literal(value: str | float) -> str:
    """A constant as SQL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else "'" + value.replace("'", "''") + "'"


def value_of(name: str, table: TableMapping) -> str:
    """SQL of the value of canonical column `name` as text or its own type; "null" when it is not mapped."""
    if name in table.constants:
        return f"{literal(table.constants[name])}::varchar"
    told = table.columns.get(name)
    if told is None:
        return "null"
    if isinstance(told, list):
        return hash_of(told)
    column = told if isinstance(told, Column) else Column(column=told)
    text = f"said({quoted(column.column)})"
    if name in TIMES:
        return _time(text, column)
    if name in LENGTHS:
        factor = _MILLISECONDS[column.unit]
        return f"try_cast(round(try_cast({text} as double) * {factor}) as bigint)"
    if name in DATES and column.format:
        return f"coalesce(strftime(try_strptime({text}, {literal(column.format)}), '%Y-%m-%d'), {text})"
    return text


def hash_of(columns: list[str]) -> str:
    """SQL of an id of several columns: "name:" and a hash of the lower-cased texts, null when one is missing."""
    texts = " || chr(31) || ".join(f"lower(said({quoted(name)}))" for name in columns)
    return f"'name:' || left(md5({texts}), 20)"


def _time(text: str, column: Column) -> str:
    """SQL of an instant, null where the text is none."""
    if column.unit:
        seconds = f"try_cast({text} as double) * {_SECONDS[column.unit]}"
        return f"case when {seconds} between 0 and {_LATEST} then to_timestamp({seconds}) end"
    if column.format:
        told = f"try_strptime({text}, {literal(column.format)})"
        # With %z the text names its zone, and DuckDB gives an instant.
        return f"timezone({literal(column.zone)}, {told})" if column.zone else told
    zoned = f"case when regexp_matches({text}, '{ZONED}') then try_cast({text} as timestamptz) end"
    if not column.zone:
        return zoned
    plain = f"timezone({literal(column.zone)}, try_cast({text} as timestamp))"
    return f"case when regexp_matches({text}, '{ZONED}') then {zoned} else {plain} end"


def check_readings(where: str, table: TableMapping) -> None:
    """Look at every zone and format of a table before its rows are read.

    Raises:
        SegueError: a zone does not exist, or a format cannot be read.
    """
    for key, column in table.columns.items():
        if not isinstance(column, Column):
            continue
        with connect() as connection:
            zones = connection.execute(
                "select count(*) from pg_timezone_names() where name = ?", [column.zone]
            ).fetchall()
            if column.zone and not zones[0][0]:
                raise SegueError(
                    f"{where}.columns.{key}.zone: expected a zone like Europe/Vienna, "
                    f"found {column.zone!r}"
                )
            if column.format:
                _try_format(connection, f"{where}.columns.{key}.format", column.format)


def _try_format(connection: duckdb.DuckDBPyConnection, where: str, form: str) -> None:
    try:
        connection.execute(f"select try_strptime('', {literal(form)})").fetchall()
    except duckdb.Error as error:
        raise SegueError(
            f"{where}: expected a format like %d.%m.%Y %H:%M:%S, found {form!r} "
            f"({str(error).splitlines()[0]})"
        ) from error
