"""Files that benches read, written by a process of their own.

    python -m tests.benchmarks.inputs listens FOLDER --listens 1000000 --days 30
    python -m tests.benchmarks.inputs lake FOLDER --listens 2000000 --days 200

Belongs here: generated listens, fast and the same every time. Does not belong here: claims about realism
(ml.simulation). DuckDB writes them: a million simulated listens would take longer than what is measured.
"""

import argparse
from datetime import date
from pathlib import Path

import duckdb

FIRST_DAY = date(2025, 1, 1)
LISTENS_A_USER = 500
LISTENS_A_TRACK = 100

# Popular tracks are heard more (a cube of a uniform draw), some rows arrive a day late, a fifth are
# skips. hash() makes every draw a function of the row number.
_LISTENS = """
with drawn as (
    select
        i,
        hash(i, 1) / 18446744073709551615.0 as who,
        hash(i, 2) / 18446744073709551615.0 as what,
        hash(i, 3) / 18446744073709551615.0 as how,
        (i * {days} // {listens})::integer as day_number,
        (hash(i // 12, 4) % 86000)::bigint + 200 * (i % 12) as second_of_day
    from range({listens}) as rows (i)
)
select
    'listen-' || lpad(i::varchar, 10, '0') as listen_id,
    'user-' || lpad((hash(i // 12) % {users})::varchar, 7, '0') as user_id,
    'track-' || lpad(floor(what * what * what * {tracks})::bigint::varchar, 7, '0') as track_id,
    timestamptz '{first} 00:00:00+00' + to_seconds(day_number * 86400 + least(second_of_day, 86399))
        - case when who < 0.01 and day_number > 0 then interval 1 day else interval 0 day end
        as played_at,
    case when how < 0.2 then 9000 else 200000 end::bigint as ms_played,
    'home' as surface,
    null::varchar as session_id,
    null::varchar as request_id,
    timestamptz '{first} 00:00:00+00' + to_seconds(day_number * 86400 + least(second_of_day, 86399))
        as known_at,
    date '{first}' + day_number as day
from drawn
"""

_TRACKS = """
select
    'track-' || lpad(i::varchar, 7, '0') as track_id, 'Title ' || i as title,
    'artist-' || (i // 8) as artist_id, 'Artist ' || (i // 8) as artist_name, null::varchar as album,
    null::date as released_on, 200000::bigint as duration_ms, false as explicit,
    ['rock'] as genres, null::varchar[] as tags, 120.0::double as tempo, 0.5::double as energy,
    0.5::double as valence, 0.5::double as danceability, 0.5::double as acousticness,
    0.5::double as instrumentalness, -6.0::double as loudness,
    timestamptz '{first} 00:00:00+00' as known_at, date '{first}' as day
from range({tracks}) as rows (i)
"""


def sizes(listens: int, days: int) -> dict[str, object]:
    """What the queries are filled with."""
    return {
        "days": days,
        "listens": listens,
        "first": FIRST_DAY,
        "users": max(listens // LISTENS_A_USER, 1),
        "tracks": max(listens // LISTENS_A_TRACK, 1),
    }


def write_listens(folder: Path, listens: int, days: int) -> None:
    """One Parquet file `listens.parquet` as the reader `canonical` takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    query = f"select * exclude (day) from ({_LISTENS.format(**sizes(listens, days))})"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"copy ({query}) to '{folder / 'listens.parquet'}' (format parquet)")


def write_lake(lake: Path, listens: int, days: int) -> None:
    """The tables `listens` and `tracks` of a lake, a folder a day."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table, query in (("listens", _LISTENS), ("tracks", _TRACKS)):
            folder = lake / table
            folder.mkdir(parents=True)
            connection.execute(
                f"copy ({query.format(**sizes(listens, days))}) to '{folder}' "
                "(format parquet, partition_by (day))"
            )


def main() -> None:
    """Write what was asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("listens", "lake"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--listens", type=int, required=True)
    parser.add_argument("--days", type=int, required=True)
    asked = parser.parse_args()
    write = write_listens if asked.what == "listens" else write_lake
    write(asked.folder, asked.listens, asked.days)


if __name__ == "__main__":
    main()
