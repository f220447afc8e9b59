"""Format `playlog`: plays told by time, listener or station, artist and title.

Belongs here: naming the columns, deriving tracks from the plays. Does not belong here: what makes two
spellings one song (songs.py), types and rules (ml/lake/judge.py).

A time is a number (Unix seconds, or milliseconds from 10^11 on) or a time with a zone; option `zone`
names the zone of times without one, which are quarantined otherwise. A track is known from its first
play on; nothing about it that dates from later (its release) is kept.
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from ml.errors import SegueError
from ml.sources.files import (
    SUFFIXES,
    ZONED,
    UnreadableFileError,
    connect,
    is_data,
    quoted,
    read_raw,
    rejected_rows,
)
from ml.sources.looking import Look
from ml.sources.songs import CATALOGUE_OPTIONS, DESCRIBED, define_song_key, read_catalogue
from ml.sources.source import (
    NO_PLAY_LENGTH,
    RECORD,
    STATIONS_NOT_LISTENERS,
    Source,
    SourceFile,
    digest_of,
)
from ml.tables import LISTENS

_COLUMNS = {"time": "time", "listener": "callsign", "artist": "artist", "title": "song"}
_STATIONS = ("callsign", "station", "channel")

OPTIONS = {**_COLUMNS, "surface": "", "zone": "", **CATALOGUE_OPTIONS}


def recognise(look: Look) -> str:
    """Why the path is a play log whose columns need no option; "" when it is none."""
    for name in look.first(*SUFFIXES):
        if set(_COLUMNS.values()) <= set(look.columns(name)):
            return f"{name} has the columns {', '.join(_COLUMNS.values())}"
    return ""


def read(path: Path, options: Mapping[str, str]) -> Source:
    """Source of a play log, a file or the folder that holds `plays.parquet` or one data file.

    Tracks come first, one row each, then the plays. Notes tell the share of plays that the catalogue
    describes. Raises SegueError for a folder without a log and for missing columns.
    """
    file = _log_file(path)
    catalogue = _catalogue_file(options)
    parts = [file] if catalogue is None else [file, catalogue]
    steered = [f"{name}={value}" for name, value in sorted(options.items()) if name != "catalogue"]
    digest = digest_of(parts, "playlog", *steered)
    try:
        raw = read_raw(file)
    except UnreadableFileError as error:
        broken = SourceFile(
            file.name, "listens", "playlog", digest, None, unreadable=str(error), original=file
        )
        return Source((broken,))
    _check_columns(file, raw.rows.column_names, options)
    with connect() as connection:
        _check_zone(connection, options["zone"])
        define_song_key(connection)
        connection.register("log", raw.rows)
        _build_plays(connection, raw.rows.schema, options)
        notes = []
        if catalogue is not None:
            read_catalogue(connection, catalogue, options)
            notes.append(_join_rate(connection, catalogue))
        tracks = _tracks(connection, has_catalogue=catalogue is not None)
        listens = _listens(connection, raw.rows.column_names, _surface(options))
        nameless = _nameless(connection)
    rejected = pa.concat_tables([raw.rejected, nameless])
    limits = (NO_PLAY_LENGTH, STATIONS_NOT_LISTENERS) if _is_radio(options) else (NO_PLAY_LENGTH,)
    files = (
        SourceFile(file.name, "tracks", "playlog", digest, tracks),
        SourceFile(file.name, "listens", "playlog", digest, listens, rejected),
    )
    return Source(files, tuple(notes), limits)


def _log_file(path: Path) -> Path:
    if path.is_file():
        return path
    files = sorted(entry for entry in path.iterdir() if entry.is_file() and is_data(entry))
    named = [file for file in files if file.name.split(".")[0] == "plays"]
    for choice in (named, files):
        if len(choice) == 1:
            return choice[0]
    raise SegueError(
        f"expected in {path} a file plays.parquet, plays.csv or a single CSV or Parquet file, found "
        f"{', '.join(file.name for file in files) or 'none'}: segue import playlog FILE"
    )


def _catalogue_file(options: Mapping[str, str]) -> Path | None:
    catalogue = Path(options["catalogue"]) if options["catalogue"] else None
    if catalogue is not None and not catalogue.is_file():
        raise SegueError(f"option catalogue: expected a CSV or Parquet file, found {catalogue}")
    return catalogue


def _check_columns(file: Path, found: list[str], options: Mapping[str, str]) -> None:
    missing = {name: options[name] for name in _COLUMNS if options[name] not in found}
    if missing:
        raise SegueError(
            f"{file}: expected the columns {', '.join(options[name] for name in _COLUMNS)}, found "
            f"{', '.join(name for name in found if name != RECORD)}. Name them: "
            + " ".join(f"--option {name}=COLUMN" for name in missing)
        )


def _is_radio(options: Mapping[str, str]) -> bool:
    return options["surface"] == "radio" or options["listener"].lower() in _STATIONS


def _surface(options: Mapping[str, str]) -> str:
    return options["surface"] or ("radio" if _is_radio(options) else "unknown")


def _build_plays(
    connection: duckdb.DuckDBPyConnection, schema: pa.Schema, options: Mapping[str, str]
) -> None:
    """Build `plays`: record, listener, played_at (a time, or text that is none), names and keys."""
    names = {name: quoted(options[name]) for name in _COLUMNS}
    played_at = _played_at(names["time"], schema.field(options["time"]).type, options["zone"])
    connection.execute(
        f"""
        create or replace temp table plays as
        select *, artist_key || ':' || title_key as track_id, {_moment("played_at")} as moment
        from (
            select {RECORD}, trim({names["listener"]}::varchar) as user_id,
                {played_at} as played_at, trim({names["artist"]}::varchar) as artist,
                trim({names["title"]}::varchar) as title, song_key(artist) as artist_key,
                song_key(title) as title_key
            from log
        )
        """
    )


def _check_zone(connection: duckdb.DuckDBPyConnection, zone: str) -> None:
    known = connection.execute("select count(*) from pg_timezone_names() where name = ?", [zone])
    if zone and not known.fetchall()[0][0]:
        raise SegueError(
            f"option zone: expected a zone like Europe/Vienna, found {zone!r}: "
            "segue import playlog PATH --option zone=NAME"
        )


def _played_at(column: str, kind: pa.DataType, zone: str) -> str:
    """SQL of the time as a timestamp with zone, or as text that ml/lake judges."""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _instant(f"{column}::double")
    if pa.types.is_timestamp(kind) and kind.tz is None and zone:
        return f"timezone('{_escaped(zone)}', {column})"
    if not pa.types.is_string(kind):
        return column
    number = f"try_cast({column} as double)"
    naive = "null"
    if zone:
        unzoned = f"not regexp_matches({column}, '{ZONED}')"
        naive = f"case when {unzoned} then timezone('{_escaped(zone)}', try_cast({column} as timestamp)) end"
    return f"coalesce(({_instant(number)})::varchar, ({naive})::varchar, {column})"


def _escaped(text: str) -> str:
    return text.replace("'", "''")


def _instant(number: str) -> str:
    """SQL of an instant from Unix seconds or milliseconds; null beyond year 2200 or not a number."""
    seconds = f"case when abs({number}) >= 1e11 then {number} / 1000 else {number} end"
    return f"case when ({seconds}) between 0 and 7.3e9 then to_timestamp({seconds}) end"


def _moment(column: str) -> str:
    return (
        f"case when regexp_matches({column}::varchar, '{ZONED}') "
        f"then try_cast({column} as timestamptz) end"
    )


def _join_rate(connection: duckdb.DuckDBPyConnection, catalogue: Path) -> str:
    found = connection.execute(
        """
        select count(*), count(album_row), count(distinct track_id),
            count(distinct track_id) filter (album_row is not null)
        from plays left join (select *, 1 as album_row from catalogue) using (artist_key, title_key)
        where track_id is not null
        """
    ).fetchall()
    plays, described, tracks, joined = found[0]
    share = described / plays if plays else 0.0
    return (
        f"The catalogue {catalogue.name} describes {share:.1%} of the plays "
        f"({joined:,} of {tracks:,} tracks)."
    )


def _tracks(connection: duckdb.DuckDBPyConnection, *, has_catalogue: bool) -> pa.Table:
    described = ", ".join(name for name in DESCRIBED if name != "released_on")
    joined = (
        f", {described}, case when released_on <= first_play::date then released_on end as released_on"
        if has_catalogue
        else ""
    )
    catalogue = "left join catalogue using (artist_key, title_key)" if has_catalogue else ""
    return connection.query(
        f"""
        with spellings as (
            select track_id, artist_key, title_key, artist, title, count(*) as plays,
                min({RECORD}) as {RECORD}, min(moment) as first_play
            from plays where track_id is not null and moment is not null and user_id <> ''
            group by all
        ),
        tracks as (
            select *, min(first_play) over (partition by track_id) as known_at from spellings
            qualify row_number() over (
                partition by track_id order by plays desc, title, artist) = 1
        )
        select {RECORD}, track_id, title, artist_key as artist_id, artist as artist_name, known_at
            {joined}
        from (select * replace (known_at as first_play) from tracks) {catalogue}
        order by track_id
        """
    ).to_arrow_table()


def _listens(connection: duckdb.DuckDBPyConnection, columns: list[str], surface: str) -> pa.Table:
    # Further columns of the log ride along for the quarantine, unless they bear a canonical name.
    taken = {RECORD, *LISTENS.schema.names}
    rest = "".join(f", log.{quoted(name)}" for name in columns if name.lower() not in taken)
    return connection.query(
        f"""
        select {RECORD}, plays.user_id, plays.track_id, plays.played_at,
            '{_escaped(surface)}' as surface{rest}
        from plays join log using ({RECORD}) where plays.track_id is not null order by {RECORD}
        """
    ).to_arrow_table()


def _nameless(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Plays without artist or title: nothing says which track it was."""
    rows = connection.query(
        f"""
        select log.* from log semi join (from plays where track_id is null) using ({RECORD})
        order by {RECORD}
        """
    ).to_arrow_table()
    return rejected_rows(rows, "artist or title: missing")
