"""Plays of one import, staged in DuckDB, and the source files that they become.

Belongs here: the staged table, cutting it into parts that fit into memory, tracks from plays. Does not
belong here: reading a format into the staged table (its own module).

A file of more than a million plays is handed on in parts of whole days, so that no day of the lake is
written twice and memory stays bounded. What does not fit into memory is kept in a temporary folder.
"""

import tempfile
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from ml.sources.files import connect
from ml.sources.names import define_name_ids
from ml.sources.source import RECORD, SourceFile, digest_of

PART_ROWS = 1_000_000
_MEMORY = "2GB"

# The staged table. `file` numbers the origins; `reason` (with `raw`, JSON) marks rows that are no plays.
COLUMNS = {
    "file": "integer",
    "record": "bigint",
    "listen_id": "varchar",
    "user_id": "varchar",
    "track_id": "varchar",
    "played_at": "timestamptz",
    "known_at": "timestamptz",
    "ms_played": "bigint",
    "surface": "varchar",
    "session_id": "varchar",
    "request_id": "varchar",
    "title": "varchar",
    "artist_id": "varchar",
    "artist_name": "varchar",
    "album": "varchar",
    "duration_ms": "bigint",
    "tags": "varchar[]",
    "reason": "varchar",
    "raw": "varchar",
}
_LISTEN = (
    "listen_id",
    "user_id",
    "track_id",
    "played_at",
    "known_at",
    "ms_played",
    "surface",
    "session_id",
    "request_id",
    "title",
    "artist_name",
)
_KNOWN = "coalesce(known_at, played_at)"


@dataclass(frozen=True, slots=True)
class Origin:
    """A file of plays: its name in reports, its digest, and why it could not be read, if so."""

    name: str
    path: Path
    digest: str
    unreadable: str | None = None


def open_stage() -> duckdb.DuckDBPyConnection:
    """A connection with an empty table `plays` (COLUMNS) and the macros of names.py."""
    connection = connect()
    connection.execute(f"set memory_limit = '{_MEMORY}'")
    # A name of its own, as two imports may run; made only when something does not fit, gone on close.
    spill = Path(tempfile.gettempdir()) / f"segue-import-{uuid.uuid4().hex}"
    connection.execute("set temp_directory = $folder", {"folder": str(spill)})
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute(f"create temp table plays ({columns})")
    define_name_ids(connection)
    return connection


@dataclass(frozen=True, slots=True, eq=False)
class Staged:
    """Staged plays as source files: tracks, then `more`, then the plays of each origin.

    Can be read several times. `has_tracks`: whether tracks are made from the plays, each as its first
    play tells it, known from then on: a later export that only adds plays changes no track. `kept` has
    to live as long (the files of a zip).
    """

    connection: duckdb.DuckDBPyConnection
    source: str
    origins: Sequence[Origin]
    more: Sequence[SourceFile] = ()
    has_tracks: bool = True
    kept: object = None
    part_rows: int = PART_ROWS

    def __iter__(self) -> Iterator[SourceFile]:
        if self.has_tracks:
            yield from self._tracks()
        yield from self.more
        for number, origin in enumerate(self.origins):
            yield from self._listens(number, origin)

    def _tracks(self) -> Iterator[SourceFile]:
        stage_songs(self.connection)
        # A track is some four times as wide as a play, and compared in all its columns.
        most = self.part_rows // 4
        digest = digest_of((), "tracks", self.source, *(origin.digest for origin in self.origins))
        name = self.origins[0].name if len(self.origins) == 1 else f"{len(self.origins)} files"
        for place, within in enumerate(self._periods("songs", "known_at", "true", most)):
            rows = self.connection.query(
                f"select * from songs where {within} order by {RECORD}"
            ).to_arrow_table()
            if rows.num_rows:
                part = digest_of((), digest, str(place))
                yield SourceFile(name, "tracks", self.source, part, rows)

    def _listens(self, number: int, origin: Origin) -> Iterator[SourceFile]:
        if origin.unreadable is not None:
            yield SourceFile(
                origin.name,
                "listens",
                self.source,
                origin.digest,
                None,
                unreadable=origin.unreadable,
                original=origin.path,
            )
            return
        good = f"file = {number} and reason is null"
        columns = ", ".join(_LISTEN)
        rejected = self._rejected(number)
        for place, within in enumerate(self._periods("plays", _KNOWN, good, self.part_rows)):
            rows = self.connection.query(
                f"select record as {RECORD}, {columns} from plays where {good} and {within} "
                "order by record"
            ).to_arrow_table()
            digest = digest_of((), origin.digest, str(place)) if place else origin.digest
            bad = rejected if place == 0 else rejected.slice(0, 0)
            yield SourceFile(origin.name, "listens", self.source, digest, rows, bad)

    def _rejected(self, number: int) -> pa.Table:
        return self.connection.query(
            f"select record as {RECORD}, reason, raw from plays "
            f"where file = {number} and reason is not null order by record"
        ).to_arrow_table()

    def _periods(self, table: str, time: str, chosen: str, most: int) -> list[str]:
        """Conditions on `time` that cut the rows into whole days of at most `most` rows together."""
        days = self.connection.execute(
            f"select date_trunc('day', {time}) as day, count(*) from {table} "
            f"where {chosen} and {time} is not null group by day order by day"
        ).fetchall()
        cuts: list[datetime] = []
        held = 0
        for day, count in days:
            if held and held + count > most:
                cuts.append(day)
                held = 0
            held += count
        starts = [None, *(f"timestamptz '{cut.isoformat()}'" for cut in cuts)]
        periods = []
        for start, end in zip(starts, [*starts[1:], None], strict=True):
            bounds = [f"{time} >= {start}"] if start else []
            bounds += [f"{time} < {end}"] if end else []
            # Rows without a time go with the first part, where the lake finds them wanting.
            within = " and ".join(bounds) or "true"
            periods.append(within if start else f"({within} or {time} is null)")
        return periods


def stage_songs(connection: duckdb.DuckDBPyConnection) -> None:
    """Build `songs`, raw rows of tracks: what the first play of each says, known from that play on."""
    connection.execute(
        f"""
        create or replace temp table songs as
        with firsts as (
            select track_id, min({_KNOWN}) as known_at,
                arg_min(
                    struct_pack(title := title, artist_id := artist_id, artist_name := artist_name,
                        album := album, duration_ms := duration_ms, tags := tags),
                    (played_at, file, record)
                ) as told
            from plays
            where reason is null and track_id is not null and user_id is not null
                and played_at is not null and (known_at is null or played_at <= known_at)
            group by track_id
        )
        select row_number() over (order by track_id) as {RECORD}, track_id, told.*, known_at
        from firsts
        """
    )


def count_reasons(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Staged rows that are no plays, by reason."""
    return dict(
        connection.execute(
            "select reason, count(*) from plays where reason is not null group by reason order by reason"
        ).fetchall()
    )


def count_listeners(connection: duckdb.DuckDBPyConnection) -> int:
    """Listeners among the staged plays."""
    found = connection.execute(
        "select count(distinct user_id) from plays where reason is null"
    ).fetchall()
    return int(found[0][0])
