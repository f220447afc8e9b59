"""Songs told by artist and title alone: normalised keys, and a catalogue joined by them.

Belongs here: what makes two spellings one song. Does not belong here: logs of plays (playlog.py).
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from ml.errors import SegueError
from ml.sources.files import UnreadableFileError, quoted, read_raw
from ml.sources.source import RECORD
from ml.tables import AUDIO_FEATURES

# Columns of the catalogue by default fit the song lists made from the Spotify Web API.
CATALOGUE_OPTIONS = {
    "catalogue": "",
    "catalogue_artist": "track_artist",
    "catalogue_title": "track_name",
    "catalogue_album": "track_album_name",
    "catalogue_released": "track_album_release_date",
    "catalogue_genre": "playlist_genre",
    "catalogue_tag": "playlist_subgenre",
    "catalogue_duration_ms": "duration_ms",
    **{f"catalogue_{name}": name for name in AUDIO_FEATURES},
}
DESCRIBED = ("album", "released_on", "genres", "tags", "duration_ms", *AUDIO_FEATURES)


def define_song_key(connection: duckdb.DuckDBPyConnection) -> None:
    """Macros `song_key(text)`: lower case, no accents, brackets, " - ..." suffix, "feat. ...",
    punctuation; words joined by "-". A text of nothing else keeps a hash of itself.
    """
    connection.execute(
        r"""
        create or replace macro words_of(held) as trim(regexp_replace(
            regexp_replace(regexp_replace(regexp_replace(regexp_replace(
                strip_accents(lower(held)),
                '[\(\[][^\)\]]*[\)\]]', ' ', 'g'),
                '\s+-\s.*$', ''),
                '\s(feat|ft|featuring)\.?\s.*$', ''),
                '[''\x{2019}`.]', '', 'g'),
            '[^\p{L}\p{N}]+', ' ', 'g'))
        """
    )
    connection.execute(
        """
        create or replace macro song_key(held) as case
            when words_of(held) <> '' then replace(words_of(held), ' ', '-')
            when trim(held) <> '' then left(md5(lower(trim(held))), 12)
        end
        """
    )


def read_catalogue(
    connection: duckdb.DuckDBPyConnection, path: Path, options: Mapping[str, str]
) -> None:
    """Build `catalogue`: artist_key, title_key (one row each) and the columns DESCRIBED, raw.

    Of several recordings of a song the one released first stands for it; `genres` and `tags` are of
    all of them. Raises SegueError when the file or its artist and title cannot be read.
    """
    rows = _catalogue_rows(path, options)
    told = _told(rows, options)
    connection.register("catalogue_rows", rows)
    audio = ", ".join(f"{told[name]} as {name}" for name in AUDIO_FEATURES)
    connection.execute(
        f"""
        create or replace temp table catalogue as
        with songs as (
            select {RECORD}, song_key({told["artist"]}) as artist_key,
                song_key({told["title"]}) as title_key, {told["album"]}::varchar as album,
                {_full_date(told["released"])} as released_on,
                {told["duration_ms"]} as duration_ms, {audio},
                {told["genre"]}::varchar as genre, {told["tag"]}::varchar as tag
            from catalogue_rows
        ),
        words as (
            select artist_key, title_key, list_sort(list(distinct genre)) as genres,
                list_sort(list(distinct tag)) as tags
            from songs group by artist_key, title_key
        )
        select songs.* exclude ({RECORD}, genre, tag), genres, tags
        from songs join words using (artist_key, title_key)
        qualify row_number() over (
            partition by artist_key, title_key
            order by released_on nulls last, album, {RECORD}
        ) = 1
        """
    )


def _told(rows: pa.Table, options: Mapping[str, str]) -> dict[str, str]:
    """SQL of what the options say of a song, null where the catalogue has no such column."""
    named = {key: name for key, name in options.items() if key.startswith("catalogue_")}
    return {
        key.removeprefix("catalogue_"): quoted(name) if name in rows.column_names else "null"
        for key, name in named.items()
    }


def _catalogue_rows(path: Path, options: Mapping[str, str]) -> pa.Table:
    """The catalogue's raw rows, refused where they name no songs."""
    try:
        rows = read_raw(path).rows
    except (UnreadableFileError, OSError) as error:
        raise SegueError(
            f"option catalogue: expected a CSV or Parquet file, found {path}: {error}"
        ) from error
    names = {key: options[f"catalogue_{key}"] for key in ("artist", "title")}
    missing = [name for name in names.values() if name not in rows.column_names]
    if missing:
        raise SegueError(
            f"{path}: expected the columns {', '.join(names.values())}, found "
            f"{', '.join(rows.column_names)}. Name them: "
            "--option catalogue_artist=NAME --option catalogue_title=NAME."
        )
    return rows


def _full_date(column: str) -> str:
    """SQL of a date from a text such as 1971, 1971-11 or 1971-11-08."""
    text = f"trim({column}::varchar)"
    return f"try_cast({text} || case length({text}) when 4 then '-01-01' when 7 then '-01' else '' end as date)"
