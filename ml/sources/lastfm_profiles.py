"""The profiles of `lastfm-1k`: one listener a line, with a header.

Belongs here: columns and what their words become. Does not belong here: events (lastfm_1k.py).
"""

from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from ml.sources.files import UnreadableFileError
from ml.sources.lines import line_as_json, read_lines, text_of
from ml.sources.source import RECORD, SourceFile, digest_of

PROFILES = "userid-profile.tsv"
# Ages are those of the crawl, so they give a year of birth to within one.
_CRAWLED = 2009
_WIDTH = 5


def read_profiles(
    path: Path, connection: duckdb.DuckDBPyConnection, events_digest: str
) -> SourceFile:
    """Users from `#id, gender, age, country, registered` ("Aug 13, 2006"; all but the id may be empty).

    They are known from the day of the first staged play on, or from their registration where that is
    later. An age or a date that is none quarantines its row.
    """
    digest = digest_of([path], "lastfm-1k", "users", events_digest)
    try:
        lines = pa.concat_tables(list(read_lines(path)))
    except UnreadableFileError as error:
        return SourceFile(
            path.name, "users", "lastfm-1k", digest, None, unreadable=str(error), original=path
        )
    _build(connection, lines)
    rows = connection.query(
        f"select * exclude (reason, raw) from profiles where reason is null order by {RECORD}"
    ).to_arrow_table()
    bad = connection.query(
        f"select {RECORD}, reason, raw from profiles where reason is not null order by {RECORD}"
    ).to_arrow_table()
    return SourceFile(
        path.name, "users", "lastfm-1k", digest, rows, bad, earliest=_first_day(connection)
    )


def _build(connection: duckdb.DuckDBPyConnection, lines: pa.Table) -> None:
    """Build `profiles`: raw users, or the reason why a line is none."""
    connection.register("profile_lines", lines)
    connection.execute(
        f"""
        create or replace temp table profiles as
        with texts as (select record, line, {text_of("line")} as text from profile_lines),
        split as (select *, string_split(text, chr(9)) as parts from texts)
        select record - 1 as {RECORD}, parts[1] as user_id, parts[4] as country,
            coalesce(({_CRAWLED} - try_cast(said(parts[3]) as integer))::varchar, parts[3])
                as birth_year,
            coalesce(strftime(try_strptime(said(parts[5]), '%b %d, %Y'), '%Y-%m-%d'), parts[5])
                as signed_up_on,
            case when text is null then 'broken encoding: expected UTF-8'
                when len(parts) <> {_WIDTH} then 'expected {_WIDTH} columns, found ' || len(parts)
            end as reason, {line_as_json("line")} as raw
        from split where record > 1 or not starts_with(coalesce(text, ''), '#id')
        """
    )


def _first_day(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    first: datetime | None = connection.execute(
        "select date_trunc('day', min(played_at)) from plays where reason is null"
    ).fetchall()[0][0]
    return first
