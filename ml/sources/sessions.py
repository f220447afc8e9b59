"""Format `sessions`: anonymous sessions as session_id, position, item_id.

Belongs here: the times and listeners that such data does not have. Does not belong here: rules.

Every session is a listener of its own. Sessions follow one another in the order of session_id, spread
evenly over `days` days that end with `last_day`; tracks follow every four minutes. All of it is said in
the limits of the source.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa

from ml.errors import SegueError
from ml.sources.files import SUFFIXES, UnreadableFileError, connect, is_data, read_raw
from ml.sources.looking import Look
from ml.sources.source import (
    ANONYMOUS_USERS,
    NO_PLAY_LENGTH,
    NO_TEXT,
    RECORD,
    TIMES_SYNTHESISED,
    Source,
    SourceFile,
    digest_of,
)
from ml.tables import SESSION_LIMIT

OPTIONS = {"days": "60", "last_day": "2020-12-31", "sample": ""}

_COLUMNS = ("session_id", "position", "item_id")
_STEP_SECONDS = 240
_DAY_SECONDS = 86_400


def recognise(look: Look) -> str:
    """Why the path holds anonymous sessions; "" when it does not."""
    for name in look.first(*SUFFIXES):
        if set(_COLUMNS) <= set(look.columns(name)):
            return f"{name} has the columns {', '.join(_COLUMNS)}"
    return ""


def read(path: Path, options: Mapping[str, str]) -> Source:
    """Source of a session file or of a folder with exactly one.

    Option `sample` keeps the last N sessions. Raises SegueError for missing columns and bad options.
    """
    file = _session_file(path)
    days, sample = _whole("days", options["days"]), _whole("sample", options["sample"] or "0")
    first_day = _day(options["last_day"]) - timedelta(days=max(days, 1) - 1)
    digest = digest_of([file], "sessions", str(first_day), str(days), str(sample))
    try:
        raw = read_raw(file)
    except UnreadableFileError as error:
        broken = SourceFile(
            file.name, "listens", "sessions", digest, None, unreadable=str(error), original=file
        )
        return Source((broken,))
    missing = [name for name in _COLUMNS if name not in raw.rows.column_names]
    if missing:
        raise SegueError(
            f"{file}: expected the columns {', '.join(_COLUMNS)}, missing {', '.join(missing)}: "
            "rename them, or segue import FORMAT PATH with the right format"
        )
    rows = _listens(raw.rows, first_day, max(days, 1), sample)
    listens = SourceFile(file.name, "listens", "sessions", digest, rows, raw.rejected)
    made_up = (
        f"Times are made up: sessions in order of session_id over {max(days, 1)} days from "
        f"{first_day} on, a track every four minutes; every session is a listener of its own."
    )
    notes = (made_up, f"Only the last {sample:,} sessions were read.") if sample else (made_up,)
    limits = (TIMES_SYNTHESISED, ANONYMOUS_USERS, NO_TEXT, NO_PLAY_LENGTH)
    return Source((listens,), notes, limits)


def _session_file(path: Path) -> Path:
    if path.is_file():
        return path
    files = sorted(entry for entry in path.iterdir() if entry.is_file() and is_data(entry))
    if len(files) == 1:
        return files[0]
    raise SegueError(
        f"expected in {path} one CSV or Parquet file of sessions, found "
        f"{', '.join(file.name for file in files) or 'none'}: segue import sessions FILE"
    )


def _whole(name: str, text: str) -> int:
    if not text.isdecimal():
        raise SegueError(f"option {name}: expected a whole number, found {text!r}")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SegueError(
            f"option last_day: expected a day like 2020-12-31, found {text!r}"
        ) from error


def _starts(days: int, sample: int) -> str:
    """SQL of session_id, step (seconds), day (from 0) and second of the last `sample` sessions of
    `log_text`, of all where it is 0."""
    limit = int(SESSION_LIMIT.total_seconds()) - 1
    return f"""
        with sizes as (
            select session_id, greatest(max(position), count(*)) as size,
                row_number() over (
                    order by try_cast(session_id as bigint) nulls last, session_id) - 1 as rank
            from log_text where session_id is not null group by session_id
        ),
        last as (
            from sizes where {sample} = 0 or rank >= (select count(*) from sizes) - {sample}
        ),
        chosen as (
            select session_id, size, rank - min(rank) over () as rank, count(*) over () as total,
                least({limit}, (max(size) over ()) * {_STEP_SECONDS}) as room
            from last
        )
        select session_id, least({_STEP_SECONDS}, {limit} / size) as step,
            (rank * {days}) // total as day,
            ((rank * {days}) % total) / total * ({_DAY_SECONDS} - room) as second
        from chosen
    """


def _listens(rows: pa.Table, first_day: date, days: int, sample: int) -> pa.Table:
    """Raw listens. All starts leave room for the longest session before midnight, so that the order of
    starts is that of session_id and no session runs past its day; a session longer than half a day
    takes shorter steps.
    """
    with connect() as connection:
        connection.register("log", rows)
        return connection.query(
            f"""
            with log_text as (
                select {RECORD}, session_id::varchar as session_id, item_id::varchar as item_id,
                    try_cast(position as bigint) as position
                from log
            ),
            starts as ({_starts(days, sample)})
            select {RECORD}, 'session:' || session_id as user_id, 'item:' || item_id as track_id,
                case when position is not null then
                    timestamptz '{first_day} 00:00:00+00' + to_seconds(day * {_DAY_SECONDS})
                    + to_seconds(floor(second + position * step)::bigint) end as played_at,
                session_id, position
            from log_text left join starts using (session_id)
            where {sample} = 0 or starts.session_id is not null
            order by {RECORD}
            """
        ).to_arrow_table()
