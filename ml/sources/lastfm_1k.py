"""Format `lastfm-1k`: the "Last.fm Dataset - 1K users" of O. Celma, events and profiles.

Belongs here: the columns of the events, what stands in for a missing MusicBrainz id, the end of the
collection. Does not belong here: profiles (lastfm_profiles.py), parts and tracks (plays.py), types and
rules (ml/lake/judge.py).

`userid-timestamp-artid-artname-traid-traname.tsv` has no header, no quoting and one play a line. Its
readme says that the plays reach to 5 May 2009; some are dated up to 2013. A play counts as known when it
was played, at the latest when the collection ended; the lake quarantines a play dated after it was known.
Option `collected_until` is the last day of the collection.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ml.errors import SegueError
from ml.sources.files import UnreadableFileError
from ml.sources.lastfm_profiles import PROFILES, read_profiles
from ml.sources.lines import line_as_json, read_lines, text_of
from ml.sources.looking import Look
from ml.sources.plays import COLUMNS, Origin, Staged, count_listeners, open_stage
from ml.sources.source import NO_PLAY_LENGTH, ONE_LISTENER, Source, digest_of

OPTIONS = {"collected_until": "2009-05-05"}

_EVENTS = "userid-timestamp-artid-artname-traid-traname.tsv"
_ENDINGS = (".tsv", ".tsv.gz", ".parquet")
# The same columns with names, as in Parquet made from the original.
_NAMED = ("user_id", "timestamp", "artist_mbid", "artist_name", "track_mbid", "track_name")
_LINE = re.compile(r"^user_\d+\t\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z(\t[^\t\n]*){3}\t")
_TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"
_BEGAN = "2002-10-01 00:00:00+00"
# A name may hold a tab: the ids beside it (36 characters or nothing) tell where it ends.
_TABBED = "^([^\t]*)\t([^\t]*)\t([0-9a-f-]{36}|)\t(.*?)\t([0-9a-f-]{36}|)\t(.*)$"


def recognise(look: Look) -> str:
    """Why the path is this data set; "" when it is not."""
    for name in look.first(*_ENDINGS):
        if set(_NAMED) <= set(look.columns(name)):
            return f"{name} has the columns {', '.join(_NAMED)}"
        if not name.endswith(".parquet") and _LINE.match(look.head(name)):
            return f"{name} holds lines of listener, time, artist and track with their ids"
    return ""


def read(path: Path, options: Mapping[str, str]) -> Source:
    """Source of the folder or of its events file; profiles are read when they lie beside it.

    Raises SegueError when there are no events, and for a bad day.
    """
    events = _events_file(path)
    end = _end_of(options["collected_until"])
    digest = digest_of([events], "lastfm-1k", str(end))
    connection = open_stage()
    connection.execute("create temp table collected as select ?::timestamptz as until", [str(end)])
    try:
        blocks = _cells_of_parquet if events.suffix == ".parquet" else _cells_of_lines
        blocks(connection, events)
        origin = Origin(events.name, events, digest)
    except UnreadableFileError as error:
        # What was read before the damage is no part of the lake: the whole file comes again.
        connection.execute("delete from plays")
        origin = Origin(events.name, events, digest, str(error))
    profiles = events.with_name(PROFILES)
    more = [read_profiles(profiles, connection, digest)] if profiles.is_file() else []
    limits = [NO_PLAY_LENGTH, *([ONE_LISTENER] if count_listeners(connection) == 1 else [])]
    return Source(
        Staged(connection, "lastfm-1k", [origin], more), _notes(connection, end), tuple(limits)
    )


def _events_file(path: Path) -> Path:
    if path.is_file():
        return path
    look = Look(path)
    names = look.first(*_ENDINGS)
    for name in (_EVENTS, f"{_EVENTS}.gz", *names):
        if name in names and name != PROFILES:
            return path / name
    raise SegueError(
        f"expected {_EVENTS} in {path}, found {', '.join(look.names[:5]) or 'no file'}: "
        "unpack lastfm-dataset-1K.tar.gz, then segue import lastfm-1k FOLDER"
    )


def _end_of(text: str) -> date:
    """The first day after the collection."""
    try:
        return date.fromisoformat(text) + timedelta(days=1)
    except ValueError as error:
        raise SegueError(
            f"option collected_until: expected a day like 2009-05-05, found {text!r}"
        ) from error


def _cells_of_lines(connection: duckdb.DuckDBPyConnection, events: Path) -> None:
    names = ", ".join(f"'{name}'" for name in _NAMED)
    for block in read_lines(events):
        connection.register("block", block)
        connection.execute(
            f"""
            create or replace temp table cells as
            with texts as (select record, line, {text_of("line")} as text from block),
            split as (select *, string_split(text, chr(9)) as parts from texts),
            named as (
                select record, line, text, len(parts) as width,
                    case len(parts)
                        when 6 then struct_pack({_named_parts()})
                        when 7 then regexp_extract(text, $tabbed, [{names}])
                        when 8 then regexp_extract(text, $tabbed, [{names}])
                    end as named
                from split
            )
            select record, text is null as is_broken, width, {line_as_json("line")} as raw,
                unnest(named)
            from named
            """,
            {"tabbed": _TABBED},
        )
        _fill_plays(connection)


def _named_parts() -> str:
    return ", ".join(f"{name} := parts[{place}]" for place, name in enumerate(_NAMED, start=1))


def _cells_of_parquet(connection: duckdb.DuckDBPyConnection, events: Path) -> None:
    seen = 0
    try:
        file = pq.ParquetFile(events)
        for batch in file.iter_batches(batch_size=1 << 18, columns=list(_NAMED)):
            connection.register("block", pa.Table.from_batches([batch]))
            connection.execute(
                """
                create or replace temp table cells as
                select row_number() over () + $seen as record, false as is_broken, 6 as width,
                    to_json(block)::varchar as raw, * replace (
                        strftime(try_cast(timestamp as timestamptz), '%Y-%m-%dT%H:%M:%SZ') as timestamp)
                from block
                """,
                {"seen": seen},
            )
            seen += batch.num_rows
            _fill_plays(connection)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFileError(f"no readable Parquet: {error}") from error


def _fill_plays(connection: duckdb.DuckDBPyConnection) -> None:
    filled = {
        "file": "0",
        "record": "record",
        "user_id": "said(user_id)",
        "track_id": "coalesce(said(track_mbid), track_name_id(artist_name, track_name))",
        "played_at": "played",
        "known_at": "least(played, until)",
        "surface": "'unknown'",
        "title": "said(replace(track_name, chr(9), ' '))",
        "artist_id": "coalesce(said(artist_mbid), artist_name_id(artist_name))",
        "artist_name": "said(replace(artist_name, chr(9), ' '))",
        "reason": "reason",
        "raw": "case when reason is not null then raw end",
    }
    values = ", ".join(f"{filled.get(name, 'null')} as {name}" for name in COLUMNS)
    connection.execute(
        f"""
        insert into plays
        with timed as (
            select *, case when regexp_matches(timestamp, '{_TIME}')
                then try_cast(timestamp as timestamptz) end as played
            from cells
        ),
        judged as (
            select *, case
                when is_broken then 'broken encoding: expected UTF-8'
                when user_id is null then 'expected 6 columns, found ' || width
                when played is null then 'played_at: not a time like 2009-05-04T23:08:57Z'
                when played < timestamptz '{_BEGAN}' then 'played_at: before Audioscrobbler began'
                when said(track_mbid) is null and track_name_id(artist_name, track_name) is null
                    then 'artist or title: missing, and no track id'
            end as reason
            from timed
        )
        select {values} from judged, collected
        """
    )


def _notes(connection: duckdb.DuckDBPyConnection, end: date) -> tuple[str, ...]:
    total, named, late = connection.execute(
        """
        select count(*), count(*) filter (track_id like 'name:%'),
            count(*) filter (played_at > known_at)
        from plays where reason is null
        """
    ).fetchall()[0]
    notes = [f"{named:,} of {total:,} plays bear no track id; artist and title make one."]
    if late:
        notes.append(
            f"{late:,} plays are dated after {end - timedelta(days=1)}, the end of the collection, and "
            "quarantined (--option collected_until=DAY moves it)."
        )
    return tuple(notes)
