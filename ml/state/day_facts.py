"""What monitoring asks of the warehouse about a day.

Belongs here: reading listens, genres and popularity of a day as Arrow. Does not belong here: judging
them (monitoring).
"""

from datetime import date

import duckdb
import pyarrow as pa


def listens_between(connection: duckdb.DuckDBPyConnection, start: date, end: date) -> pa.Table:
    """Listens known on [start, end), columns of intermediate.listens, by (known_at, listen_id)."""
    return _table(
        connection,
        "select * from intermediate.listens where known_on >= $start and known_on < $end "
        "order by known_at, listen_id",
        {"start": start, "end": end},
    )


def main_genres(connection: duckdb.DuckDBPyConnection, before: date) -> dict[str, str]:
    """First genre of every track known before a day, by track id; tracks without one are left out."""
    table = _table(
        connection,
        "select track_id, genres[1] as genre from staging.tracks where known_at < $day "
        "qualify row_number() over (partition by track_id order by known_at desc, genres) = 1",
        {"day": before},
    )
    pairs = zip(table["track_id"].to_pylist(), table["genre"].to_pylist(), strict=True)
    return {track: genre for track, genre in pairs if genre}


def popular_tracks(connection: duckdb.DuckDBPyConnection, day: date, count: int) -> list[str]:
    """The most streamed tracks by the state valid on `day` (half-life 8 days), best first."""
    table = _table(
        connection,
        "select track_id from features.tracks where valid_from <= $day "
        "qualify row_number() over (partition by track_id order by valid_from desc) = 1 "
        "order by streams_h8 * power(0.5, ($day - valid_from) / 8.0) desc, track_id limit $count",
        {"day": day, "count": count},
    )
    found: list[str] = table["track_id"].to_pylist()
    return found


def catalogue_size(connection: duckdb.DuckDBPyConnection, before: date) -> int:
    """Tracks known before a day."""
    query = "select count(*) from intermediate.tracks where first_known_on < ?"
    return int(connection.execute(query, [before]).fetchall()[0][0])


def outcomes_of(connection: duckdb.DuckDBPyConnection, day: date) -> pa.Table:
    """What became of the lists in force on `day`, columns of marts.outcomes, by request and rank."""
    query = "select * from marts.outcomes where valid_on = $day order by request_id, rank"
    return _table(connection, query, {"day": day})


def _table(
    connection: duckdb.DuckDBPyConnection, query: str, params: dict[str, object]
) -> pa.Table:
    table: pa.Table = connection.query(query, params=params).to_arrow_table()
    return table.combine_chunks()
