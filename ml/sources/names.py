"""Ids of tracks and artists that come with names alone.

Belongs here: the one hash of names. Does not belong here: songs told by free text, whose spellings have
to be brought together (songs.py).
"""

import duckdb


def define_name_ids(connection: duckdb.DuckDBPyConnection) -> None:
    """Macros `said(text)` (trimmed, null when empty), `artist_name_id(artist)` and
    `track_name_id(artist, title)`: "name:" and 20 hex digits of the MD5 of the lower-cased names;
    null when a name is missing.
    """
    connection.execute("create or replace macro said(held) as nullif(trim(held), '')")
    connection.execute(
        """
        create or replace macro artist_name_id(artist) as
            'name:' || left(md5(lower(said(artist))), 20)
        """
    )
    connection.execute(
        """
        create or replace macro track_name_id(artist, title) as
            'name:' || left(md5(lower(said(artist)) || chr(31) || lower(said(title))), 20)
        """
    )
