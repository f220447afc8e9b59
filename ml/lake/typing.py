"""From raw columns to the types of the canonical tables, naming what cannot be converted.

Belongs here: one SQL expression for a value and one for its problem, by raw and wanted type. Does not
belong here: rules that look at more than one column (judge.py).
"""

import pyarrow as pa
from pyarrow import types

from ml.sources.files import ZONED

_NAIVE = r"^\s*\d{4}-\d{2}-\d{2}([T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?)?\s*$"
_WHOLE = r"^\s*[+-]?\d+(\.0*)?\s*$"
_DATE = r"^\s*\d{4}-\d{2}-\d{2}\s*$"

_WORDS = (
    (types.is_string, "text"),
    (types.is_timestamp, "a time"),
    (types.is_integer, "a whole number"),
    (types.is_floating, "a number"),
    (types.is_boolean, "true or false"),
    (types.is_date, "a date"),
    (types.is_list, "a list of texts"),
)


def typed(name: str, wanted: pa.DataType, raw: pa.DataType | None) -> tuple[str, str]:
    """SQL of the value (null when missing or bad) and of the problem (text, null when there is none).

    `raw` is the Arrow type of column `name` of the relation `raw`, None when it has no such column.
    """
    column = f'raw."{name}"'
    if raw is None or types.is_null(raw):
        return f"null::{_sql_type(wanted)}", "null::varchar"
    value = _value(column, wanted, raw)
    if value is None:
        found = f"{name}: expected {_words(wanted)}, found a column of type {raw}"
        return f"null::{_sql_type(wanted)}", f"case when {column} is not null then '{found}' end"
    return value, _problem(name, column, value, wanted, raw)


def _problem(name: str, column: str, value: str, wanted: pa.DataType, raw: pa.DataType) -> str:
    given = f"{column} is not null"
    if types.is_string(raw):
        given += f" and trim({column}) <> ''"
    if types.is_floating(raw):
        given += f" and not isnan({column})"
    reason = f"{name}: not {_words(wanted)}"
    if not types.is_timestamp(wanted):
        return f"case when {given} and ({value}) is null then '{reason}' end"
    naive = f"regexp_matches({column}, '{_NAIVE}')" if types.is_string(raw) else "false"
    return f"""case
        when not ({given}) then null
        when {naive} then '{name}: a time without a zone'
        when ({value}) is null then '{reason}'
        when year({value}) not between 1970 and 2199 then '{name}: an impossible year'
    end"""


def _value(column: str, wanted: pa.DataType, raw: pa.DataType) -> str | None:
    """SQL of the converted value; None when this raw type never stands for the wanted one."""
    if types.is_string(wanted):
        return _text(column, raw)
    if types.is_timestamp(wanted):
        return _time(column, raw)
    if types.is_integer(wanted):
        return _integer(column, _sql_type(wanted), raw)
    if types.is_floating(wanted):
        return _number(column, raw)
    if types.is_boolean(wanted):
        fits = types.is_boolean(raw) or types.is_string(raw) or types.is_integer(raw)
        return f"try_cast({column} as boolean)" if fits else None
    if types.is_date(wanted):
        return _date(column, raw)
    return _list(column, raw)


def _text(column: str, raw: pa.DataType) -> str | None:
    if types.is_string(raw):
        return f"case when trim({column}) <> '' then {column} end"
    return f"{column}::varchar" if types.is_integer(raw) else None


def _time(column: str, raw: pa.DataType) -> str | None:
    if types.is_string(raw):
        # A cast alone would take a time without a zone in the zone of the connection.
        text = f"replace({column}, ',', '.')"
        return (
            f"case when regexp_matches({column}, '{ZONED}') "
            f"then try_cast({text} as timestamptz) end"
        )
    if types.is_timestamp(raw) and raw.tz is not None:
        return f"{column}::timestamptz"
    return None


def _integer(column: str, kind: str, raw: pa.DataType) -> str | None:
    if types.is_integer(raw):
        return f"try_cast({column} as {kind})"
    if types.is_floating(raw):
        return f"case when {column} = trunc({column}) then try_cast({column} as {kind}) end"
    if types.is_string(raw):
        digits = rf"regexp_replace({column}, '\.0*\s*$', '')"
        return (
            f"case when regexp_matches({column}, '{_WHOLE}') then try_cast({digits} as {kind}) end"
        )
    return None


def _number(column: str, raw: pa.DataType) -> str | None:
    if not (types.is_integer(raw) or types.is_floating(raw) or types.is_string(raw)):
        return None
    value = f"try_cast({column} as double)"
    return f"case when isfinite({value}) then {value} end"


def _date(column: str, raw: pa.DataType) -> str | None:
    if types.is_date(raw) or types.is_timestamp(raw):
        return f"{column}::date"
    if types.is_string(raw):
        return f"case when regexp_matches({column}, '{_DATE}') then try_cast({column} as date) end"
    return None


def _list(column: str, raw: pa.DataType) -> str | None:
    held = "lambda word: word is not null and trim(word) <> ''"
    if (types.is_list(raw) or types.is_large_list(raw)) and types.is_string(raw.value_type):
        return f"list_filter({column}, {held})"
    if not types.is_string(raw):
        return None
    words = f"""case
        when trim({column}) = '' then null
        when starts_with(trim({column}), '[') then try(from_json({column}, '["varchar"]'))
        else string_split({column}, '|')
    end"""
    return f"list_filter({words}, {held})"


def _words(wanted: pa.DataType) -> str:
    return next(words for fits, words in _WORDS if fits(wanted))


def _sql_type(wanted: pa.DataType) -> str:
    if types.is_list(wanted):
        return "varchar[]"
    if types.is_timestamp(wanted):
        return "timestamptz"
    names = {"string": "varchar", "int64": "bigint", "int32": "integer", "bool": "boolean"}
    return names.get(str(wanted), "date" if types.is_date(wanted) else "double")
