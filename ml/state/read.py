"""From the warehouse to arrays: the as-of look-ups that training and batch share.

Belongs here: plain SQL over the dbt models and its conversion to NumPy. Does not belong here: any
aggregation that a dbt model should own.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from ml.state.catalogue import UNKNOWN_DAY, Catalogue, positions
from ml.state.columns import Columns, PairTable
from ml.state.countries import read_countries
from ml.state.drawn import Drawn, drawn_pairs
from ml.state.friendships import read_friends
from ml.state.state import (
    TRACK_COLUMNS,
    USER_ARTIST_COLUMNS,
    USER_COLUMNS,
    USER_TRACK_COLUMNS,
    State,
)
from ml.tables import AUDIO_FEATURES, HALF_LIVES

# Suffixes that make two recordings of one song differ: "(Remastered)", "[Live]", " - Radio Edit".
_RECORDING = r"\s*[\(\[][^\)\]]*[\)\]]|\s+-\s+.*$"

_TRACKS = f"""
with versions as (
    select * from staging.tracks
    where known_at < $day::date
    qualify row_number() over (partition by track_id order by known_at desc, title, album) = 1
)
select
    known.track_id, versions.title, versions.artist_id, versions.artist_name, versions.album,
    (versions.released_on - date '1970-01-01')::integer as released_day,
    (known.first_known_on - date '1970-01-01')::integer as first_known_day,
    versions.duration_ms::float as duration_ms, versions.explicit::tinyint as explicit,
    case when versions.artist_id is not null and versions.title is not null then
        versions.artist_id || chr(31)
        || regexp_replace(lower(versions.title), '{_RECORDING}', '', 'g') end as recording,
    case when versions.album is not null then
        coalesce(versions.artist_id, '') || chr(31) || versions.album end as album_key,
    list_distinct(list_concat(
        coalesce(versions.genres, []), coalesce(versions.tags, []))) as genres,
    {", ".join(f"versions.{name}::float as {name}" for name in AUDIO_FEATURES)}
from intermediate.tracks as known
left join versions using (track_id)
where known.first_known_on < $day::date
order by known.first_known_on, known.track_id
"""


def _table(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    day: date,
    parameters: Mapping[str, object] | None = None,
) -> pa.Table:
    asked = {"day": day} | dict(parameters or {})
    table: pa.Table = connection.query(query, params=asked).to_arrow_table()
    return table.combine_chunks()


def _codes(column: pa.ChunkedArray) -> tuple[pa.StringArray, NDArray[np.int32]]:
    """Distinct values in ascending order and each row's index among them, -1 for null."""
    values = column.combine_chunks().drop_null().unique()
    ordered = values.take(pc.sort_indices(values))
    return ordered, positions(column, ordered)


def _floats(table: pa.Table, name: str) -> NDArray[np.float32]:
    return np.asarray(table[name].cast(pa.float32()).to_numpy(), dtype=np.float32)


def _ints(table: pa.Table, name: str, null: int) -> NDArray[np.int64]:
    filled = pc.fill_null(table[name].cast(pa.int64()), null)
    return np.asarray(filled, dtype=np.int64)


def read_catalogue(connection: duckdb.DuckDBPyConnection, as_of: date) -> Catalogue:
    """Tracks known before `as_of`, each in the latest version known then."""
    table = _table(connection, _TRACKS, as_of)
    artist_ids, artist = _codes(table["artist_id"])
    lists = table["genres"].combine_chunks()
    _, genre = _codes(pa.chunked_array([lists.flatten()]))
    owner = np.asarray(pc.list_parent_indices(lists), dtype=np.int64)
    width = int(genre.max()) + 1 if len(genre) else 0
    genres = sparse.csr_matrix(
        (np.ones(len(genre), dtype=np.float32), (owner, genre)), shape=(len(table), width)
    )
    genres.sort_indices()
    return Catalogue(
        track_ids=table["track_id"].combine_chunks(),
        titles=table["title"].combine_chunks(),
        artist_names=table["artist_name"].combine_chunks(),
        artist_ids=artist_ids,
        artist=artist,
        album=_codes(table["album_key"])[1],
        recording=_codes(table["recording"])[1],
        released_day=_ints(table, "released_day", int(UNKNOWN_DAY)).astype(np.int32),
        first_known_day=_ints(table, "first_known_day", int(UNKNOWN_DAY)).astype(np.int32),
        duration_ms=_floats(table, "duration_ms"),
        explicit=_ints(table, "explicit", -1).astype(np.int8),
        audio=np.stack([_floats(table, name) for name in AUDIO_FEATURES], axis=1),
        genres=genres,
    )


def _select(columns: Sequence[str]) -> str:
    """SQL for state columns at $day: sums decayed from valid_from, times as ages in days."""
    lines = []
    for name in columns:
        if name.endswith("_age"):
            instant = name.removesuffix("_age") + "_at"
            lines.append(f"(epoch($day::date::timestamp) - epoch({instant})) / 86400.0 as {name}")
        elif (half_life := name.rsplit("_h", 1)[-1]).isdigit() and int(half_life) in HALF_LIVES:
            lines.append(
                f"{name} * pow(2, -($day::date - valid_from)::double / {half_life}) as {name}"
            )
        else:
            lines.append(name)
    return ", ".join(
        f"({line.rsplit(' as ', 1)[0]})::float as {name}"
        for line, name in zip(lines, columns, strict=True)
    )


def _as_of(relation: str, keys: Sequence[str], columns: Sequence[str], condition: str = "") -> str:
    key = ", ".join(keys)
    return f"""
        select {key}, {_select(columns)} from {relation}
        where valid_from <= $day::date {condition}
        qualify valid_from = max(valid_from) over (partition by {key})
        order by {key}
    """


def _columns(table: pa.Table, names: Sequence[str], order: NDArray[np.int64]) -> Columns:
    values = np.empty((len(names), len(order)), dtype=np.float32)
    for row, name in enumerate(names):
        values[row] = _floats(table, name)[order]
    return Columns(tuple(names), values)


def _rows(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    key: str,
    ids: pa.StringArray,
    names: Sequence[str],
    day: date,
) -> Columns:
    """State of one key: a row for every id, zeros (ages nan) where it was never active."""
    table = _table(connection, _as_of(relation, [key], names), day)
    at = positions(table[key], ids)
    values = np.zeros((len(names), len(ids)), dtype=np.float32)
    for row, name in enumerate(names):
        if name.endswith("_age"):
            values[row] = np.nan
        values[row, at] = _floats(table, name)
    return Columns(tuple(names), values)


def _pairs(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    item: tuple[str, pa.StringArray],
    user_ids: pa.StringArray,
    names: Sequence[str],
    day: date,
    drawn: Drawn | None,
) -> PairTable:
    condition, parameters = drawn_pairs(drawn)
    query = _as_of(relation, ["user_id", item[0]], names, condition)
    table = _table(connection, query, day, parameters)
    user = positions(table["user_id"], user_ids).astype(np.int64)
    target = positions(table[item[0]], item[1]).astype(np.int64)
    order = np.lexsort((target, user))
    # A listen whose artist id left the catalogue in a later version has no index any more.
    order = order[(target[order] >= 0) & (user[order] >= 0)]
    indptr = np.zeros(len(user_ids) + 1, dtype=np.int64)
    np.cumsum(np.bincount(user[order], minlength=len(user_ids)), out=indptr[1:])
    return PairTable(
        indptr, target[order].astype(np.int32), _columns(table, names, order), len(item[1])
    )


_USERS = """
select user_id from intermediate.users where first_known_on < $day::date order by first_known_on, user_id
"""


def read_state(
    connection: duckdb.DuckDBPyConnection, valid_on: date, drawn: Drawn | None = None
) -> State:
    """The state of every listener and track at `valid_on` 00:00 UTC, from the feature tables.

    Where listeners are `drawn`, what the others heard (`user_tracks`, `user_artists`) is left out; indices and
    all other parts stay.
    """
    catalogue = read_catalogue(connection, valid_on)
    user_ids = _table(connection, _USERS, valid_on)["user_id"].combine_chunks()
    tracks = ("track_id", catalogue.track_ids)
    artists = ("artist_id", catalogue.artist_ids)

    def pairs(relation: str, item: tuple[str, pa.StringArray], names: Sequence[str]) -> PairTable:
        return _pairs(connection, relation, item, user_ids, names, valid_on, drawn)

    return State(
        valid_on=valid_on,
        catalogue=catalogue,
        user_ids=user_ids,
        users=_rows(connection, "features.users", "user_id", user_ids, USER_COLUMNS, valid_on),
        tracks=_rows(connection, "features.tracks", *tracks, TRACK_COLUMNS, valid_on),
        user_tracks=pairs("features.user_tracks", tracks, USER_TRACK_COLUMNS),
        user_artists=pairs("features.user_artists", artists, USER_ARTIST_COLUMNS),
        friends=read_friends(connection, user_ids, valid_on),
        country=read_countries(connection, user_ids, valid_on),
    )


_VERSIONS = """
with chosen as (
    select * from staging.tracks
    where known_at < $day::date
    qualify row_number() over (
        partition by track_id
        order by
            (known_at < $cut::date) desc,
            case when known_at < $cut::date then known_at end desc nulls last,
            known_at, title, album
    ) = 1
)
select known.track_id, chosen.* exclude (track_id)
from intermediate.tracks as known
left join chosen using (track_id)
where known.first_known_on < $day::date
order by known.first_known_on, known.track_id
"""


def read_track_versions(connection: duckdb.DuckDBPyConnection, cut: date, as_of: date) -> pa.Table:
    """Metadata of the tracks known before `as_of`, in the catalogue's order, as it stood at `cut`.

    A track first known between `cut` and `as_of` comes in its first version: a document never holds
    words (tags, say) that were learned after the label window began.
    """
    result = connection.query(_VERSIONS, params={"day": as_of, "cut": cut})
    table: pa.Table = result.to_arrow_table()
    return table.combine_chunks()
