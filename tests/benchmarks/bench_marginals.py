"""The simulated world beside real listening: popularity, repeats, sessions, times between plays.

    python -m tests.benchmarks.bench_marginals [--listeners 2000 --tracks 8000 --days 60] [--data FOLDER]

Belongs here: reading logs into arrays, and the table of ml/README.md. Does not belong here: the figures
(ml.simulation.marginals).
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.simulation import marginals
from ml.simulation.config import WorldConfig
from ml.simulation.living import initial_state, live_days
from ml.simulation.world import create_world
from ml.tables import STREAM_MS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FIRST_DAY = date(2025, 3, 3)
NONE = "-"


@dataclass(frozen=True, slots=True)
class Log:
    """Listens sorted by (user, second) or (session, position), and what they can tell. `plays` (items)
    and `artist_plays` (artists); `user`, `second` and `ms_played` are None where the log has none, and
    all of the rest where it has counts alone."""

    plays: NDArray[np.int64]
    artist_plays: NDArray[np.int64] | None = None
    track: NDArray[np.int64] | None = None
    session: NDArray[np.int64] | None = None
    user: NDArray[np.int64] | None = None
    second: NDArray[np.float64] | None = None
    ms_played: NDArray[np.int64] | None = None


def codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Values as numbers by first appearance."""
    return np.asarray(column.combine_chunks().dictionary_encode().indices, dtype=np.int64)


def of_listeners(rows: pa.Table) -> Log:
    """A log of the columns who, track, artist, second, ms_played (null = unknown)."""
    user, track = codes(rows["who"]), codes(rows["track"])
    second = rows["second"].to_numpy().astype(np.float64)
    order = np.lexsort((track, second, user))
    user, track, second = user[order], track[order], second[order]
    known = rows["ms_played"].null_count == 0
    return Log(
        plays=np.bincount(track),
        artist_plays=np.bincount(codes(rows["artist"])),
        track=track,
        session=marginals.sessions(user, second),
        user=user,
        second=second,
        ms_played=rows["ms_played"].to_numpy()[order] if known else None,
    )


def simulated(listeners: int, tracks: int, days: int, seed: int) -> Log:
    """A world that has lived `days` days."""
    world = create_world(WorldConfig(seed, FIRST_DAY, listeners, tracks))
    end = FIRST_DAY + timedelta(days=days)
    lived = [day for _, day, _ in live_days(world, initial_state(world), FIRST_DAY, end)]
    listens = pa.concat_tables([day.listens for day in lived])
    catalogue = world.catalogue.table.select(["track_id", "artist_id"])
    with duckdb.connect() as connection:
        connection.register("listens", listens)
        connection.register("catalogue", catalogue)
        return of_listeners(connection.query(_SIMULATED).to_arrow_table())


_SIMULATED = """
select user_id as who, track_id as track, artist_id as artist, epoch(played_at) as second, ms_played
from listens join catalogue using (track_id)
"""
_LASTFM = """
select user_id as who, lower(artist_name || '|' || track_name) as track, lower(artist_name) as artist,
    epoch(timestamp) as second, null::bigint as ms_played
from '{data}/lastfm-1k-sample/events.parquet' where user_id = 'user_000001'
"""
_RADIO = """
select callsign as who, combined as track, coalesce(artist, '') as artist, "time"::double as second,
    null::bigint as ms_played
from '{data}/fivethirtyeight-classic-rock/plays.parquet'
"""
_SESSIONS = """
select session_id, item_id from '{data}/nowplaying-sessions/train_sessions.parquet'
order by session_id, position
"""
_HETREC = """
select sum(weight)::bigint as plays from '{data}/hetrec2011-lastfm-2k/user_artists.parquet'
group by artist_id
"""


def real(data: Path) -> dict[str, Log]:
    """The logs under `data`, by name."""
    with duckdb.connect() as connection:

        def rows(query: str) -> pa.Table:
            return connection.query(query.format(data=data)).to_arrow_table()

        sessions = rows(_SESSIONS)
        item = codes(sessions["item_id"])
        radio = of_listeners(rows(_RADIO))
        return {
            "nowplaying": Log(np.bincount(item), None, item, codes(sessions["session_id"])),
            "lastfm-1k, one listener": of_listeners(rows(_LASTFM)),
            "classic-rock radio": Log(radio.plays, radio.artist_plays),
            "hetrec, artists": Log(np.zeros(0, int), rows(_HETREC)["plays"].to_numpy()),
        }


def _spread(plays: NDArray[np.int64] | None) -> str:
    if plays is None or not len(plays):
        return NONE
    told = marginals.popularity(plays)
    return (
        f"{told.items:,}: {told.top_1:.0%} / {told.top_10:.0%} / {told.gini:.2f} / {told.slope:.2f}"
    )


def _heard(log: Log) -> str:
    if log.user is None or log.track is None:
        return NONE
    again = marginals.heard_before(log.user, log.track)
    number = marginals.number_in_group(log.user)
    shares = [again[(number >= low) & (number < 2 * low)].mean() for low in (100, 200, 400)]
    return " / ".join(f"{share:.0%}" for share in (again.mean(), *shares))


def _in_session(log: Log) -> str:
    if log.session is None or log.track is None:
        return NONE
    again = marginals.heard_before(log.session, log.track).mean()
    twice = (np.diff(log.track) == 0) & (np.diff(log.session) == 0)
    return f"{again:.1%} / {twice.sum() / len(log.track):.1%}"


def _lengths(log: Log) -> str:
    if log.session is None:
        return NONE
    size = np.bincount(log.session)
    size = size[size > 1]
    return f"{np.median(size):.0f} / {np.quantile(size, 0.9):.0f} / {size.mean():.1f}"


def _returns(log: Log) -> str:
    if log.user is None or log.track is None or log.second is None:
        return NONE
    hours = marginals.hours_between(log.user, log.track, log.second)
    slope = marginals.density_slope(hours, 24.0, 720.0)
    return f"{np.median(hours):.0f} h / {(hours < 1).mean():.0%} / {slope:.2f}"


def _skips(log: Log) -> str:
    return NONE if log.ms_played is None else f"{(log.ms_played < STREAM_MS).mean():.0%}"


ROWS: dict[str, Callable[[Log], str]] = {
    "listens": lambda log: f"{log.plays.sum() or log.artist_plays.sum():,}",
    "tracks: top 1 % / top 10 % / Gini / rank slope": lambda log: _spread(log.plays),
    "artists: the same": lambda log: _spread(log.artist_plays),
    "heard before: all / listens 100, 200, 400 to twice that": _heard,
    "in a session: heard before / twice running": _in_session,
    "session of two tracks or more: median / p90 / mean": _lengths,
    "next play of the track: median / within 1 h / slope 1 to 30 days": _returns,
    "skips (under 30 s)": _skips,
}


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listeners", type=int, default=2_000)
    parser.add_argument("--tracks", type=int, default=8_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the real data sets")
    told = parser.parse_args()
    logs = {"simulated": simulated(told.listeners, told.tracks, told.days, told.seed)}
    logs |= real(told.data) if told.data.is_dir() else {}
    lines = [["", *logs], ["---"] * (len(logs) + 1)]
    lines += [[name, *(figure(log) for log in logs.values())] for name, figure in ROWS.items()]
    sys.stdout.write("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")


if __name__ == "__main__":
    main()
