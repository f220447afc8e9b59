"""Whether a raw row is fit to enter the lake, and as what.

Belongs here: defaults, rules and derived ids of the canonical tables, as one SQL query a table. Does
not belong here: comparing with rows that the lake holds (known.py).
"""

from datetime import UTC, date, datetime, time

import duckdb

from ml.lake.typing import typed
from ml.sources.required import check_columns
from ml.sources.source import RECORD, SourceFile
from ml.tables import SURFACES, Table

_SURFACE = (
    f"case when surface not in {SURFACES} then 'surface: not one of {', '.join(SURFACES)}' end"
)
_RULES = {
    "listens": (
        _SURFACE,
        "case when ms_played < 0 then 'ms_played: negative' end",
        "case when played_at > known_at then 'played_at: later than known_at' end",
    ),
    "tracks": ("case when duration_ms < 0 then 'duration_ms: negative' end",),
    "users": (),
    "friendships": ("case when user_id = friend_id then 'friend_id: the listener itself' end",),
    "impressions": (
        _SURFACE,
        "case when position < 0 then 'position: negative' end",
        "case when propensity not between 0 and 1 then 'propensity: not between 0 and 1' end",
        "case when shown_at > known_at then 'shown_at: later than known_at' end",
    ),
}
_KNOWN_AT = {
    "listens": "played_at",
    "impressions": "shown_at",
    "tracks": "case when $earliest is not null then "
    "greatest($earliest::timestamptz, released_on::timestamptz) end",
    "users": "case when $earliest is not null then "
    "greatest($earliest::timestamptz, signed_up_on::timestamptz) end",
    "friendships": "$earliest::timestamptz",
}
# Tables whose undated rows a file may date.
_DATED_BY_FILE = ("tracks", "users", "friendships")


def judge(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    file: SourceFile,
    replay_day: date | None,
    not_before: date | None = None,
) -> None:
    """Build relation `judged` from relation `raw`: `_record`, the typed columns, `reason` (null = fit).

    Raises:
        ValueError: the file could not be read, so that it has no rows.
        SegueError: a required column is missing.
    """
    if file.rows is None:
        raise ValueError(f"{file.path} has no rows to judge")
    check_columns(table, file.rows.column_names, file.path)
    found = {name: file.rows.schema.field(name).type for name in file.rows.column_names}
    connection.register("raw", file.rows)
    columns = [
        (field.name, *typed(field.name, field.type, found.get(field.name)))
        for field in table.schema
    ]
    values = ", ".join(f'{value} as "{name}"' for name, value, _ in columns)
    problems = [f'({problem}) as "problem {name}"' for name, _, problem in columns]
    parameters = {"earliest": file.earliest} if table.name in _DATED_BY_FILE else {}
    connection.execute(
        f"""
        create or replace temp table judged as
        with typed as (select raw.{RECORD}, {values}, {", ".join(problems)} from raw),
        complete as (select * replace ({_defaults(table, replay_day, not_before)}) from typed)
        select {RECORD}, {", ".join(f'"{name}"' for name, _, _ in columns)},
            coalesce({", ".join(_reasons(table))}) as reason
        from complete
        """,
        parameters,
    )
    if table.name == "listens" and _lacks_ids(connection):
        _derive_ids(connection, file.source)


def _reasons(table: Table) -> list[str]:
    """SQL of what may be wrong with a row of `typed`, null where nothing is, what comes first first."""
    untyped = [f'"problem {name}"' for name in table.schema.names]
    missing = [
        f"case when \"{name}\" is null then '{name}: missing' end"
        for name in table.required
        if name != "listen_id"
    ]
    return [*untyped, *missing, *_RULES[table.name]]


def _lacks_ids(connection: duckdb.DuckDBPyConnection) -> bool:
    missing = "select count(*) from judged where listen_id is null and reason is null"
    return bool(connection.execute(missing).fetchall()[0][0])


def _defaults(table: Table, replay_day: date | None, not_before: date | None) -> str:
    names = table.schema.names
    known_at = f"coalesce(known_at, {_KNOWN_AT[table.name]})"
    if replay_day is not None:
        # The day's last instant: a listen of the day itself is not later than its own arrival.
        instant = datetime.combine(replay_day, time.max, UTC).isoformat()
        known_at = f"timestamptz '{instant}'"
    elif not_before is not None:
        instant = datetime.combine(not_before, time.min, UTC).isoformat()
        known_at = f"greatest({known_at}, timestamptz '{instant}')"
    surface = ", coalesce(surface, 'unknown') as surface" if "surface" in names else ""
    return f"{known_at} as known_at{surface}"


def _derive_ids(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    """Give listens without an id the hash of source, user, track, instant and ordinal.

    Ordinals among equal rows follow their content, so that another order of the file changes no id.
    They are counted only where rows are equal: a window over all rows costs four times as much.
    """
    hashed = "md5(concat_ws(chr(31), $source, user_id, track_id, epoch_us(played_at), {ordinal}))"
    connection.execute(
        f"""
        create or replace temp table judged as
        select * exclude (listen_id, reason), listen_id is null and reason is null as is_derived,
            case when is_derived then {hashed.format(ordinal=1)} else listen_id end as listen_id, reason
        from judged
        """,
        {"source": source},
    )
    connection.execute(
        f"""
        create or replace temp table ordinals as
        select {RECORD}, row_number() over (
            partition by listen_id order by ms_played, surface, session_id, request_id, {RECORD}
        ) as ordinal
        from judged where is_derived and listen_id in (
            select listen_id from judged where is_derived group by listen_id having count(*) > 1
        )
        """
    )
    connection.execute(
        f"""
        create or replace temp table judged as
        select judged.* exclude (is_derived) replace (
            case when ordinal > 1 then {hashed.format(ordinal="ordinal")} else listen_id end
                as listen_id)
        from judged left join ordinals using ({RECORD})
        """,
        {"source": source},
    )
