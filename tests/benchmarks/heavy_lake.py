"""A large lake, written day by day straight in its own form.

    python -m tests.benchmarks.heavy_lake HOME --size 20M

Belongs here: sizes, and drawn listens of many listeners who repeat much. Does not belong here: claims about
realism (ml.simulation). Each day is a function of its number and the world's sizes alone, so that the world
of 2 million listens is the beginning of that of 20 million.
"""

import argparse
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.lake.store import Lake
from ml.tables import CANONICAL, LISTENS, SURFACES, TIMESTAMP
from orchestration.home import IMPORTED, Home, Source, write_home
from orchestration.settings import Settings

FIRST_DAY = date(2025, 1, 1)
GENRES = 40
# A file a day and table, as an import leaves it.
_FILE = "drawn"
# Mean listens a session, favourites a listener, and the share of listens that go to favourites.
_SESSION, _FAVOURITES, _REPEATED = 12, 60, 0.8
# Powers of a uniform draw: larger ones give more to the first. The most active of 100,000 listeners has
# 130 listens a day, the most played of 150,000 tracks 0.8 % of all.
_LISTENER_POWER, _TRACK_POWER = 1.6, 5.0


@dataclass(frozen=True, slots=True)
class Size:
    """Days of `a_day` listens each by `listeners` of `tracks`; one more day holds `more`."""

    days: int
    a_day: int
    listeners: int
    tracks: int
    more: int

    @property
    def listens(self) -> int:
        """Listens without those of the day more."""
        return self.days * self.a_day

    @property
    def end(self) -> date:
        """The day after the last, which is the day more."""
        return FIRST_DAY + timedelta(days=self.days)


SIZES = {
    "200K": Size(12, 16_667, 10_000, 15_000, 15_000),
    "2M": Size(12, 166_667, 100_000, 150_000, 150_000),
    "20M": Size(120, 166_667, 100_000, 150_000, 150_000),
}


def mixed(*numbers: NDArray[np.uint64] | int) -> NDArray[np.float64]:
    """Draws from [0, 1) that are functions of the numbers (splitmix64)."""
    state = np.uint64(0)
    with np.errstate(over="ignore"):
        for number in numbers:
            state = np.asarray(state, np.uint64) ^ np.asarray(number, np.uint64)
            state = state + np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return np.asarray(state >> np.uint64(11), dtype=np.float64) / 2.0**53


def _in_genre(place: NDArray[np.float64], genre: NDArray[np.float64], tracks: int) -> NDArray:
    """Track numbers: a popular place, moved to a genre; tracks of one genre are GENRES apart."""
    first = np.floor(place**_TRACK_POWER * (tracks // GENRES)).astype(np.int64)
    return first * GENRES + np.floor(genre * GENRES).astype(np.int64)


def _tracks_heard(
    draw: np.random.Generator, listener: NDArray[np.int64], day: int, size: Size
) -> NDArray[np.int64]:
    """A favourite, changed once in 30 days, or a popular track of one of the listener's genres."""
    who = listener.astype(np.uint64)
    slot = np.floor(draw.random(len(who)) ** 3 * _FAVOURITES).astype(np.uint64)
    lasts = ((day + slot.astype(np.int64) % 30) // 30).astype(np.uint64)
    own_genre = mixed(who, slot % np.uint64(3), 1)
    own = _in_genre(mixed(who, slot, lasts, 2), own_genre, size.tracks)
    found = _in_genre(draw.random(len(who)), own_genre, size.tracks)
    return np.where(draw.random(len(who)) < _REPEATED, own, found)


def _ids(prefix: str, count: int) -> pa.StringArray:
    return pa.array([f"{prefix}-{number:07d}" for number in range(count)], pa.string())


def day_of_listens(day: int, count: int, size: Size, ids: dict[str, pa.StringArray]) -> pa.Table:
    """Canonical listens known on a day, by listen id: one in a hundred was played the day before."""
    draw = np.random.default_rng([7, day])
    length = np.minimum(draw.geometric(1 / _SESSION, 2 * count // _SESSION + 100), 60)
    session = np.repeat(np.arange(len(length)), length)[:count]
    place = np.arange(count) - np.searchsorted(session, session)
    begins = draw.integers(0, 86_400 - 60 * 240, len(length))
    who = np.floor(draw.random(len(length)) ** _LISTENER_POWER * size.listeners).astype(np.int64)
    surface = draw.integers(0, len(SURFACES), len(length))
    second = begins[session] + place * 210 + draw.integers(0, 30, count)
    order = np.argsort(second, kind="stable")
    session, second = session[order], second[order]
    track = _tracks_heard(draw, who[session], day, size)
    duration = 120_000 + np.floor(mixed(track.astype(np.uint64), 3) * 180_000)
    share = draw.random(count)
    share = np.where(share < 0.2, share / 2, np.minimum(share * 1.5, 1.0))
    known = (int(datetime.combine(FIRST_DAY, datetime.min.time(), UTC).timestamp())) + 86_400 * day
    late = (draw.random(count) < 0.01) & (day > 0)
    number = pc.cast(pa.array(np.arange(count) + 1_000_000), pa.string())
    columns = {
        "listen_id": pc.binary_join_element_wise(f"listen-{day:05d}", number, "-"),
        "user_id": ids["user"].take(pa.array(who[session])),
        "track_id": ids["track"].take(pa.array(track)),
        "played_at": pa.array((known + second - 86_400 * late) * 1_000_000).cast(TIMESTAMP),
        "ms_played": (duration * share).astype(np.int64),
        "surface": pa.array(SURFACES).take(pa.array(surface[session])),
        "session_id": pa.nulls(count, pa.string()),
        "request_id": pa.nulls(count, pa.string()),
        "known_at": pa.array((known + second) * 1_000_000).cast(TIMESTAMP),
    }
    return pa.table(columns, schema=LISTENS.schema)


_WORDS = (
    "amber", "autumn", "bird", "blue", "bone", "city", "cold", "crow", "dance", "dawn", "desert", "door",
    "dust", "echo", "ember", "fire", "fog", "ghost", "glass", "gold", "harbour", "heart", "hill", "home",
    "ice", "iron", "lake", "lamp", "letter", "light", "machine", "mirror", "moon", "morning", "motel",
    "mountain", "night", "north", "ocean", "orchid", "paper", "radio", "rain", "river", "road", "room",
    "salt", "sand", "sea", "shadow", "silver", "smoke", "snow", "song", "star", "stone", "summer", "sun",
    "thunder", "train", "valley", "water", "wind", "winter", "wolf",
)  # fmt: skip

_TRACKS = """
with numbered as (
    select i, i % {genres} + {genres} * (i // {genres} // 8) as artist, {words} as words
    from range({tracks}) as rows (i)
)
select
    'track-' || lpad(i::varchar, 7, '0') as track_id,
    words[1 + (hash(i, 1) % 65)::integer] || ' ' || words[1 + (hash(i, 2) % 65)::integer]
        || ' ' || words[1 + (hash(i, 3) % 65)::integer] as title,
    'artist-' || artist as artist_id,
    words[1 + (hash(artist, 4) % 65)::integer] || ' and the '
        || words[1 + (hash(artist, 5) % 65)::integer] || ' ' || artist as artist_name,
    'album ' || (i // {genres} // 4) || ' ' || i % {genres} as album,
    date '2000-01-01' + (hash(i, 6) % 9000)::integer as released_on,
    200000::bigint as duration_ms, hash(i, 7) % 10 = 0 as explicit,
    ['genre ' || i % {genres}] as genres, ['mood ' || hash(i, 8) % 30] as tags,
    60.0 + (hash(i, 9) % 120)::double as tempo, (hash(i, 10) % 100) / 100.0 as energy,
    (hash(i, 11) % 100) / 100.0 as valence, (hash(i, 12) % 100) / 100.0 as danceability,
    (hash(i, 13) % 100) / 100.0 as acousticness, (hash(i, 14) % 100) / 100.0 as instrumentalness,
    -6.0 as loudness, timestamptz '{first} 00:00:00+00' as known_at
from numbered
"""

_USERS = """
select
    'user-' || lpad(i::varchar, 7, '0') as user_id,
    ['DE', 'FR', 'PL', 'SE', 'US'][1 + (hash(i, 1) % 5)::integer] as country,
    1950 + (hash(i, 2) % 60)::integer as birth_year, date '2024-01-01' as signed_up_on,
    timestamptz '{first} 00:00:00+00' as known_at
from range({listeners}) as rows (i)
"""


def write_described(lake: Lake, size: Size) -> None:
    """Tracks with words and listeners, all known on the first day."""
    filled = {"genres": GENRES, "words": list(_WORDS), "first": FIRST_DAY}
    filled |= {"tracks": size.tracks, "listeners": size.listeners}
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table, query in (("tracks", _TRACKS), ("users", _USERS)):
            rows = connection.query(query.format(**filled)).to_arrow_table()
            schema = CANONICAL[table].schema
            lake.add(table, FIRST_DAY, _FILE, rows.select(schema.names).cast(schema))


def write_home_of(home: Path, size: Size) -> None:
    """The lake through the day more, and a home whose last day is the one before it."""
    home.mkdir(parents=True, exist_ok=True)
    lake = Lake(home)
    write_described(lake, size)
    ids = {"user": _ids("user", size.listeners), "track": _ids("track", size.tracks)}
    for day in range(size.days + 1):
        count = size.a_day if day < size.days else size.more
        on = FIRST_DAY + timedelta(days=day)
        lake.add("listens", on, _FILE, day_of_listens(day, count, size, ids))
    record = Home(FIRST_DAY, size.end, Source(IMPORTED, format="canonical"))
    write_home(Settings(home), record)


def main() -> None:
    """Write the home of a size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("--size", choices=SIZES, required=True)
    asked = parser.parse_args()
    write_home_of(asked.home, SIZES[asked.size])


if __name__ == "__main__":
    main()
