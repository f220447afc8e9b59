"""Published tasks as files: a history to import, requests to answer, and what was really played.

Belongs here: how each public data set is cut. Does not belong here: answering or scoring.

Everything after the cut stays out of the history, so that the ordinary import and training see nothing
of it. The choice of a configuration is made with `validation=True`, which moves the cut one part back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from ml.errors import SegueError
from ml.sources.files import connect

REQUESTS, TRUTH = "requests.parquet", "truth.parquet"
# Ids given in the order of first appearance tell what comes next wherever ties are broken by id.
_SCRAMBLED = "md5(item_id::varchar)[:12]"
# When the requests of a case without times are asked: after everything that sources make up.
_AFTER = "timestamptz '2021-01-01 00:00:00+00'"


class BenchmarkError(SegueError):
    """A data set is not there or does not fit its protocol."""


@dataclass(frozen=True, slots=True)
class Case:
    """A prepared task in `folder`: `history` is imported as `format`; requests.parquet
    has the columns of a requests file, truth.parquet `request_id`, `track_id` and the
    `listener` (or session) that intervals resample. `horizon`: the days that a list is asked to last."""

    name: str
    protocol: str
    folder: Path
    format: str
    surface: str
    exclude_heard: bool
    horizon: int = 1

    @property
    def history(self) -> Path:
        """What is imported."""
        return self.folder / "history"

    @property
    def requests(self) -> Path:
        """What is asked."""
        return self.folder / REQUESTS

    @property
    def truth(self) -> Path:
        """What was played."""
        return self.folder / TRUTH


def _source(path: Path, name: str) -> str:
    file = path / name
    if not file.is_file():
        raise BenchmarkError(
            f"expected {name} in {path}, found none; name the folder of the data set with --data"
        )
    return str(file)


def _write(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    connection.execute(f"copy ({query}) to '{target}' (format parquet)")


def nowplaying_sessions(data: Path, folder: Path, *, validation: bool) -> Case:
    """The last tenth of the sessions: every proper prefix asks for the item that follows it."""
    part = 0.8 if validation else 0.9
    with connect() as connection:
        connection.execute(
            f"""
            create table log as
            select * replace ({_SCRAMBLED} as item_id),
                dense_rank() over (order by session_id) - 1 as number
            from '{_source(data, "train_sessions.parquet")}'
            """
        )
        connection.execute(
            f"""
            create table cut as
            select (max(number) + 1) * {part} as first, (max(number) + 1) * ({part} + 0.1) as stop
            from log
            """
        )
        columns = "session_id, position, item_id"
        _write(
            connection,
            f"select {columns} from log, cut where number < floor(first) order by all",
            folder / "history" / "sessions.parquet",
        )
        connection.execute(
            """
            create table asked as
            select *, session_id || '-' || position as request_id,
                list('item:' || item_id) over (
                    partition by session_id order by position
                    rows between unbounded preceding and 1 preceding) as prefix
            from log, cut where number >= floor(first) and number < floor(stop)
            """
        )
        _write_asked(connection, folder)
    protocol = "every prefix of the last tenth of the sessions, all items ranked"
    return Case("nowplaying-sessions", protocol, folder, "sessions", "now_playing", False)


def _write_asked(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Requests and truth from `asked`: request_id, prefix, session_id, position, item_id."""
    _write(
        connection,
        f"""
        select request_id, null::varchar as user_id, 'now_playing' as surface, {_AFTER} as at,
            prefix as session_track_ids
        from asked where len(prefix) > 0 order by session_id, position
        """,
        folder / REQUESTS,
    )
    _write(
        connection,
        "select request_id, 'item:' || item_id as track_id, session_id::varchar as listener "
        "from asked where len(prefix) > 0 order by session_id, position",
        folder / TRUTH,
    )


# Positions before the target that get a day of their own: as many as training labels.
_OWN_DAYS = 12


def s3rec_lastfm(data: Path, folder: Path, *, validation: bool) -> Case:
    """Leave one out, refit: the last item of each listener (the last but one for validation).

    Sequences have no times. They are laid out backwards from the day of the question: each of the last
    twelve items a day, everything before them on the day before, a minute apart, so that every listener
    is asked on every label day.
    """
    back = 1 if validation else 0
    with connect() as connection:
        connection.execute(
            f"""
            create table log as
            select 'user:' || user_id as user_id, 'item:' || {_SCRAMBLED} as track_id,
                max(position) over (partition by user_id) - {back} - position as before
            from '{_source(data, "sequences.parquet")}'
            """
        )
        _write_laid_out(connection, folder / "history")
        _write_left_out(connection, folder)
    protocol = (
        "leave one out, refit on all but the last item, heard items excluded, all items ranked"
    )
    return Case("s3rec-lastfm-seq", protocol, folder, "canonical", "home", True)


def _write_laid_out(connection: duckdb.DuckDBPyConnection, history: Path) -> None:
    """Listens and tracks of `log` (user_id, track_id, before), dated by their distance to the question."""
    _write(
        connection,
        f"""
        select user_id, track_id, 'unknown' as surface, null::bigint as ms_played,
            {_AFTER} - to_days(least(before, {_OWN_DAYS} + 1)::integer)
                + to_minutes(600 - greatest(before - {_OWN_DAYS}, 0)) as played_at
        from log where before > 0 order by all
        """,
        history / "listens.parquet",
    )
    tracks = "select distinct track_id from log where before > 0 order by all"
    _write(connection, tracks, history / "tracks.parquet")


def _write_left_out(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """A request a listener, and as truth the item of `log` that was left out."""
    asked = "from log where before = 0 order by all"
    _write(
        connection,
        f"""
        select user_id as request_id, user_id, 'home' as surface, {_AFTER} as at,
            []::varchar[] as session_track_ids {asked}
        """,
        folder / REQUESTS,
    )
    _write(
        connection,
        f"select user_id as request_id, track_id, user_id as listener {asked}",
        folder / TRUTH,
    )


_HETREC = ("artists.parquet", "tags.parquet", "user_taggedartists.parquet")
_FRIENDS = "user_friends.parquet"
_WITHOUT_FRIENDS = "-without-friends"
_HALF_A_YEAR = 181


def hetrec_lastfm(data: Path, folder: Path, *, validation: bool, friends: bool = True) -> Case:
    """New artists tagged from 2010-07-01 on (validation: from 2010-01-01 to then), no play counts.

    Friendships carry no date and were read in 2011: with them (`friends`) some that were made after the cut
    are known before it. The same task without them is a case of its own.
    """
    cut, stop = ("2010-01-01", "2010-07-01") if validation else ("2010-07-01", "2012-01-01")
    artists, tags, tagged = (_source(data, name) for name in _HETREC)
    copied = {"artists.parquet": artists, "tags.parquet": tags}
    if friends:
        copied[_FRIENDS] = _source(data, _FRIENDS)
    with connect() as connection:
        _read_tagged(connection, tagged)
        for name, file in copied.items():
            _write(connection, f"select * from '{file}'", folder / "history" / name)
        _write(
            connection,
            f"select * exclude (in_month) from log where in_month < date '{cut}' order by all",
            folder / "history" / "user_taggedartists.parquet",
        )
        _write_fresh(connection, folder, cut, stop)
    known = (
        "friendships undated, taken as known from the beginning" if friends else "no friendships"
    )
    protocol = f"artists first tagged from {cut} on, no play counts, {known}, all artists ranked"
    name = "hetrec2011-lastfm-2k" + ("" if friends else _WITHOUT_FRIENDS)
    # The period as far as it is known when the lists are made: half a year, whatever the data hold.
    return Case(name, protocol, folder, "hetrec-lastfm", "home", True, _HALF_A_YEAR)


def _read_tagged(connection: duckdb.DuckDBPyConnection, tagged: str) -> None:
    """Tag assignments as `log`, with their month (null where it is impossible)."""
    connection.execute(
        f"""
        create table log as
        select *, case when year between 2005 and 2011 and month between 1 and 12
            then make_date(year, month, 1) end as in_month
        from '{tagged}'
        """
    )


def _write_fresh(connection: duckdb.DuckDBPyConnection, folder: Path, cut: str, stop: str) -> None:
    """Requests at `cut`, and as truth the artists that each listener first tagged before `stop`."""
    connection.execute(
        f"""
        create table fresh as
        select 'user:' || user_id as user_id, 'artist:' || artist_id as artist_id
        from log where in_month is not null
        group by all having min(in_month) >= date '{cut}' and min(in_month) < date '{stop}'
        """
    )
    _write(
        connection,
        f"""
        select distinct user_id as request_id, user_id,
            'home' as surface, timestamptz '{cut} 00:00:00+00' as at,
            []::varchar[] as session_track_ids
        from fresh order by request_id
        """,
        folder / REQUESTS,
    )
    _write(
        connection,
        "select user_id as request_id, artist_id as track_id, user_id as listener from fresh "
        "order by all",
        folder / TRUTH,
    )


def data_set(name: str) -> str:
    """The folder of a case's data set."""
    return name.removesuffix(_WITHOUT_FRIENDS)


CASES: Mapping[str, Callable[..., Case]] = {
    "nowplaying-sessions": nowplaying_sessions,
    "s3rec-lastfm-seq": s3rec_lastfm,
    "hetrec2011-lastfm-2k": hetrec_lastfm,
    f"hetrec2011-lastfm-2k{_WITHOUT_FRIENDS}": partial(hetrec_lastfm, friends=False),
}
