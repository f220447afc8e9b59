"""Format `hetrec-lastfm`: HetRec 2011 Last.fm, whose tag assignments carry the only dates.

Belongs here: tag assignments as events, and what was known of an artist in each month. Does not belong
here: rules.

An artist is the item. The event is the first month in which a listener tagged the artist, at the first
of the month 00:00 UTC: days are not recorded. Friendships (user_friends, in both directions) carry no date
at all: they are taken as known from the first event on, which a home with `friends=no` does without. An artist's row is written anew in every month in which
its most frequent tags change, with the tags given up to and including that month, so that no row knows
of tags given later.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from ml.errors import SegueError
from ml.sources.files import UnreadableFileError, connect, is_utf8, read_raw, rejected_rows
from ml.sources.looking import Look
from ml.sources.source import (
    MONTH_RESOLUTION,
    NO_PLAY_LENGTH,
    RECORD,
    UNDATED_FRIENDSHIPS,
    Source,
    SourceFile,
    digest_of,
)

OPTIONS = {"friends": "yes"}

# Upstream file name -> its columns; the .dat files say userID, artistID and so on.
_FILES = {
    "user_taggedartists": ("user_id", "artist_id", "tag_id", "day", "month", "year"),
    "artists": ("artist_id", "name"),
    "tags": ("tag_id", "tag_value"),
}
_FRIENDS = "user_friends"
_RENAMED = {
    "userID": "user_id",
    "friendID": "friend_id",
    "artistID": "artist_id",
    "tagID": "tag_id",
    "id": "artist_id",
    "tagValue": "tag_value",
}
_TAGS = 10
# Last.fm has let its users tag since 2005; the crawl ended in 2011.
_YEARS = (2005, 2011)


def recognise(look: Look) -> str:
    """Why the folder is HetRec's; "" when it is not."""
    for suffix in (".parquet", ".dat"):
        if f"user_taggedartists{suffix}" in look.names:
            return f"it holds user_taggedartists{suffix}"
    return ""


def read(path: Path, options: Mapping[str, str]) -> Source:
    """Source of the folder (or of its user_taggedartists file); user_friends is read where it lies there and
    option `friends` is not "no". Raises SegueError when another file is missing, when one is not what its
    name says, and for any other value of `friends`.
    """
    folder = path if path.is_dir() else path.parent
    files = {name: _find(folder, name) for name in _FILES}
    digest = digest_of(files.values(), "hetrec-lastfm")
    with connect() as connection:
        for name, file in files.items():
            connection.register(name, _table(file, _FILES[name]))
        _build_events(connection)
        listens, bad = _listens(connection), _impossible(connection)
        tracks = _tracks(connection)
        assignments = connection.execute("select count(*) from user_taggedartists").fetchall()[0][0]
        first = connection.execute("select min(in_month)::timestamptz from assignments").fetchall()
    events = (
        f"{assignments:,} tag assignments make {listens.num_rows:,} events: the first month in which "
        "a listener tagged an artist."
    )
    versions = (
        f"{tracks.num_rows:,} artist rows, one for each month in which the {_TAGS} most frequent tags "
        "of an artist changed."
    )
    event_file = files["user_taggedartists"].name
    source = Source(
        (
            SourceFile(files["artists"].name, "tracks", "hetrec-lastfm", digest, tracks),
            SourceFile(event_file, "listens", "hetrec-lastfm", digest, listens, bad),
        ),
        (events, versions),
        (MONTH_RESOLUTION, NO_PLAY_LENGTH),
    )
    friends = _found(folder, _FRIENDS) if _wanted(options["friends"]) else None
    return source if friends is None else _with_friends(source, friends, first[0][0])


def _wanted(friends: str) -> bool:
    if friends not in ("yes", "no"):
        raise SegueError(f"option friends: expected yes or no, found {friends!r}")
    return friends == "yes"


def _with_friends(source: Source, file: Path, first: datetime | None) -> Source:
    """The source with the friendships of `file`, known from `first` (UTC) on."""
    found = _table(file, ("user_id", "friend_id"))
    names = {name: pc.cast(found[name], pa.string()) for name in ("user_id", "friend_id")}
    rows = pa.table(
        {RECORD: found[RECORD]}
        | {
            name: pc.binary_join_element_wise("user:", ids, "", null_handling="emit_null")
            for name, ids in names.items()
        }
    )
    digest = digest_of([file], "hetrec-lastfm", "friendships", str(first))
    friendships = SourceFile(
        file.name, "friendships", "hetrec-lastfm", digest, rows, earliest=first
    )
    since = f"{first:%Y-%m}" if first else "the first event"
    note = (
        f"{found.num_rows:,} friendships carry no date: they count as known from {since} on, though some "
        "were made later. --option friends=no leaves them out."
    )
    return Source(
        (*source.files, friendships),
        (*source.notes, note),
        (*source.limits, UNDATED_FRIENDSHIPS),
    )


def _found(folder: Path, name: str) -> Path | None:
    files = (folder / f"{name}{suffix}" for suffix in (".parquet", ".dat"))
    return next((file for file in files if file.is_file()), None)


def _find(folder: Path, name: str) -> Path:
    if (file := _found(folder, name)) is not None:
        return file
    raise SegueError(
        f"expected {', '.join(f'{each}.dat (or .parquet)' for each in _FILES)} in {folder}, "
        f"found no {name}: segue import hetrec-lastfm FOLDER"
    )


def _table(file: Path, wanted: tuple[str, ...]) -> pa.Table:
    try:
        rows = _dat(file) if file.suffix == ".dat" else read_raw(file).rows
    except (UnreadableFileError, pa.ArrowException) as error:
        raise SegueError(f"{file} cannot be read ({error}): fetch it again") from error
    own = {**_RENAMED, "id": "tag_id"} if file.stem == "tags" else _RENAMED
    rows = rows.rename_columns([own.get(name, name) for name in rows.column_names])
    missing = [name for name in wanted if name not in rows.column_names]
    if missing:
        raise SegueError(
            f"{file}: expected the columns {', '.join(wanted)}, found {', '.join(rows.column_names)}"
        )
    return rows.select([RECORD, *wanted])


def _dat(file: Path) -> pa.Table:
    """Tab-separated text, UTF-8 or else Latin-1, without quoting."""
    rows = pacsv.read_csv(
        file,
        read_options=pacsv.ReadOptions(encoding="utf8" if is_utf8(file) else "latin1"),
        parse_options=pacsv.ParseOptions(delimiter="\t", quote_char=False),
    )
    return rows.append_column(RECORD, pa.array(range(1, rows.num_rows + 1), pa.int64()))


def _build_events(connection: duckdb.DuckDBPyConnection) -> None:
    """Build `assignments`: every tag assignment with its month (null where the date is impossible)."""
    connection.execute(
        f"""
        create or replace temp table assignments as
        select *, case
                when try_cast(year as integer) between {_YEARS[0]} and {_YEARS[1]}
                    and try_cast(month as integer) between 1 and 12
                then make_date(try_cast(year as integer), try_cast(month as integer), 1)
            end as in_month
        from user_taggedartists
        """
    )


def _listens(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    return connection.query(
        f"""
        select arg_min({RECORD}, (in_month, {RECORD})) as {RECORD}, 'user:' || user_id as user_id,
            'artist:' || artist_id as track_id, min(in_month)::timestamptz as played_at,
            'unknown' as surface
        from assignments
        where in_month is not null and user_id is not null and artist_id is not null
        group by user_id, artist_id order by 1
        """
    ).to_arrow_table()


def _impossible(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    rows = connection.query(
        f"""
        select * exclude (in_month) from assignments
        where in_month is null or user_id is null or artist_id is null order by {RECORD}
        """
    ).to_arrow_table()
    years = f"{_YEARS[0]} to {_YEARS[1]}"
    return rejected_rows(rows, f"no event: listener or artist missing, or not a month of {years}")


def _tracks(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Artists as tracks, a version for each month in which the most frequent tags changed."""
    return connection.query(
        f"""
        with monthly as (
            select artist_id, tag_id, in_month, count(*) as given from assignments
            where in_month is not null and artist_id is not null group by all
        ),
        months as (select distinct artist_id, in_month from monthly),
        counted as (
            select months.artist_id, months.in_month, tag_value, sum(given) as given
            from months join monthly
                on monthly.artist_id = months.artist_id and monthly.in_month <= months.in_month
            left join tags using (tag_id)
            group by all
        ),
        versions as (
            select artist_id, in_month,
                list(tag_value order by given desc, tag_value)
                    filter (tag_value is not null)[1:{_TAGS}] as tags
            from counted group by artist_id, in_month
        ),
        changed as (
            select * from versions qualify tags is distinct from
                lag(tags) over (partition by artist_id order by in_month)
                or row_number() over (partition by artist_id order by in_month) = 1
        )
        select row_number() over (order by changed.artist_id, in_month) as {RECORD},
            'artist:' || changed.artist_id as track_id, name as title,
            'artist:' || changed.artist_id as artist_id, name as artist_name, tags,
            in_month::timestamptz as known_at
        from changed left join (
            select artist_id, min(name) as name from artists group by artist_id
        ) as named using (artist_id)
        order by {RECORD}
        """
    ).to_arrow_table()
