"""Rows of Spotify's streaming histories as plays.

Belongs here: the fields of both forms, which listen is which, what is no music. Does not belong here:
which files are read (spotify_export.py).

`played_at` is the end less what was played. A listen's id is the hash of listener, names, minute of the
end, milliseconds played and place among such listens: the one thing that both forms tell alike. So the
same listen in two files, of either form, has one id; in one import a short row also takes time and track
of the extended one.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from ml.sources.files import ZONED
from ml.sources.plays import COLUMNS

# An object of the files has about 1 KB; DuckDB reads larger ones only when told so.
_LARGEST_OBJECT = 1 << 24
_MINUTE = r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}$"
# Devices with a wrong clock tell 1970.
_BEGAN = "2008-10-07 00:00:00+00"
# Nothing is played for longer than a hundred days: beyond, a start cannot be told.
_LONGEST_MS = 8_640_000_000

# Why a row is no play, null for a play.
_REASON = f"""
    case
        when json_type(held) <> 'OBJECT' then 'no object'
        when uri is null and is_book then 'no music: an audiobook'
        when uri is null and is_episode then 'no music: a podcast'
        when uri is null and (title is null or artist_name is null)
            then 'track: neither an address nor artist and title'
        when ended is null then 'end of the stream: missing or not a time in UTC'
        when ended < timestamptz '{_BEGAN}' then 'end of the stream: before Spotify began'
        when ms_played is null or abs(ms_played) > {_LONGEST_MS}
            then 'ms_played: missing or not a number of milliseconds'
    end
"""

_EPISODE = ("spotify_episode_uri", "episode_name", "episodeName", "podcastName")
_BOOK = (
    "audiobook_uri",
    "audiobook_chapter_uri",
    "audiobook_title",
    "audiobookName",
    "chapterName",
)


# Staged columns that a row of either form fills.
_FILLED = {
    "file": "play.file",
    "record": "play.record",
    "listen_id": "md5(concat_ws(chr(31), 'spotify', $user, play.song, play.minute, "
    "play.ms_played, play.ordinal))",
    "user_id": "$user",
    "track_id": "coalesce(told.uri, play.uri, known.uri, track_name_id(artist_name, title))",
    "played_at": "coalesce(told.ended, play.ended) - to_milliseconds(play.ms_played)",
    "ms_played": "play.ms_played",
    "surface": "'unknown'",
    "title": "title",
    "artist_id": "artist_name_id(artist_name)",
    "artist_name": "artist_name",
    "album": "coalesce(told.album, play.album)",
}


def stage_rows(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], user: str
) -> dict[int, str]:
    """Fill `plays` from JSON files, `file` being their place; returns why a file cannot be read.

    Leaves `spotify_rows` (file, record, is_short, reason) behind.
    """
    connection.execute("create temp table spotify_json (file integer, record bigint, held json)")
    unreadable = {}
    for number, path in enumerate(paths):
        if path.stat().st_size == 0:
            unreadable[number] = "the file is empty (0 bytes)"
            continue
        try:
            connection.execute(
                "insert into spotify_json select $number, row_number() over (), json "
                "from read_json_objects($path, format = 'array', maximum_object_size = $size)",
                {"number": number, "path": str(path), "size": _LARGEST_OBJECT},
            )
        except (duckdb.InvalidInputException, duckdb.IOException) as error:
            unreadable[number] = f"no readable JSON list: {str(error).splitlines()[0]}"
    _build_rows(connection)
    _build_identities(connection)
    _fill_plays(connection, user)
    return unreadable


def _text(*names: str) -> str:
    return f"coalesce({', '.join(f'''said(held ->> '$.{name}')''' for name in names)})"


def _build_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Build `spotify_rows`: the fields of both forms under one name, and why a row is no play."""
    connection.execute(
        f"""
        create or replace temp table spotify_rows as
        with fields as (
            select file, record, held, held ->> '$.ts' is null as is_short,
                {_text("master_metadata_track_name", "trackName")} as title,
                {_text("master_metadata_album_artist_name", "artistName")} as artist_name,
                {_text("master_metadata_album_album_name")} as album,
                {_text("spotify_track_uri")} as uri,
                coalesce({_text(*_EPISODE)}) is not null as is_episode,
                coalesce({_text(*_BOOK)}) is not null as is_book,
                held ->> '$.ts' as ts, held ->> '$.endTime' as end_time,
                try_cast({_text("ms_played", "msPlayed")} as bigint) as ms_played
            from spotify_json
        ),
        timed as (
            select *,
                case when regexp_matches(ts, '{ZONED}') then try_cast(ts as timestamptz)
                    when regexp_matches(end_time, '{_MINUTE}')
                        then try_cast(end_time || ':00+00' as timestamptz) end as ended
            from fields
        )
        select * exclude (held, ts, end_time),
            {_REASON} as reason,
            held::varchar as raw
        from timed
        """
    )
    connection.execute("drop table spotify_json")


def _build_identities(connection: duckdb.DuckDBPyConnection) -> None:
    """Build `spotify_listens`: plays with key (names, else address), minute and ordinal.

    In the extended form equal rows are one listen told twice: nothing ends twice in a second. In the
    short form they are as many listens as one file tells.
    """
    connection.execute(
        """
        create or replace temp table spotify_listens as
        with keyed as (
            select *, coalesce(lower(artist_name) || chr(31) || lower(title), uri) as song,
                epoch(date_trunc('minute', ended))::bigint as minute
            from spotify_rows where reason is null
        )
        select *, dense_rank() over (partition by song, minute, ms_played order by ended) as ordinal
        from keyed where not is_short
        union all
        select *, row_number() over (partition by file, song, minute, ms_played order by record)
        from keyed where is_short
        """
    )


def _fill_plays(connection: duckdb.DuckDBPyConnection, user: str) -> None:
    values = ", ".join(f"{_FILLED.get(name, 'null')} as {name}" for name in COLUMNS)
    connection.execute(
        f"""
        insert into plays
        with told as (
            select song, minute, ms_played, ordinal, min(ended) as ended,
                arg_min(uri, (file, record)) as uri, arg_min(album, (file, record)) as album
            from spotify_listens where not is_short group by all
        ),
        known as (
            select song, arg_min(uri, (ended, file, record)) as uri
            from spotify_listens where not is_short and uri is not null group by song
        )
        select {values}
        from spotify_listens as play
        left join told on play.is_short and play.song = told.song and play.minute = told.minute
            and play.ms_played = told.ms_played and play.ordinal = told.ordinal
        left join known on play.song = known.song
        """,
        {"user": user},
    )
    connection.execute(
        """
        insert into plays (file, record, reason, raw)
        select file, record, reason, raw from spotify_rows where reason is not null
        """
    )
