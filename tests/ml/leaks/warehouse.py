"""A small world as the warehouse that training reads: the relations of a state, written by hand.

Belongs here: tables with the columns that ml.state.read asks for. Does not belong here: how dbt makes them
(tests/dbt).
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.state.columns import Columns, PairTable
from ml.state.state import State
from ml.tables import AUDIO_FEATURES
from tests.ml.leaks.knowledge import state_of
from tests.ml.leaks.world import DAY_SECONDS, World


def _days(numbers: NDArray[np.int64]) -> pa.Array:
    return pa.array(numbers.astype("datetime64[D]"))


def _tracks(world: World) -> pa.Table:
    tracks = world.tracks
    size = len(tracks.track_id)
    columns = {
        "track_id": tracks.track_id.tolist(),
        "title": tracks.track_id.tolist(),
        "artist_id": tracks.artist_id.tolist(),
        "artist_name": tracks.artist_id.tolist(),
        "album": tracks.artist_id.tolist(),
        "released_on": _days(tracks.known_day),
        "duration_ms": np.full(size, 200_000),
        "explicit": np.zeros(size, np.bool_),
        "genres": [[f"g{genre}"] for genre in tracks.genre],
        "tags": pa.array([None] * size, pa.list_(pa.string())),
        "known_at": _days(tracks.known_day),
    }
    return pa.table(columns | dict.fromkeys(AUDIO_FEATURES, tracks.vector[:, 0]))


def _listens(world: World) -> pa.Table:
    listens = world.listens
    # Any number that rises in a session does.
    position = np.argsort(np.argsort(listens.played_at))
    return pa.table(
        {
            "listen_id": [f"l{number:05d}" for number in range(len(listens.ms))],
            "user_id": listens.user_id.tolist(),
            "track_id": listens.track_id.tolist(),
            "session_id": [f"s{number:06d}" for number in listens.session],
            "position": position,
            "played_at": pa.array(listens.played_at.astype("datetime64[s]")),
            "known_on": _days(listens.known_day),
            "ms_played": listens.ms,
            "is_stream": listens.ms >= 30_000,
            "surface": ["home"] * len(listens.ms),
        }
    )


def _profiles(world: World) -> pa.Table:
    profiles = world.profiles
    size = len(profiles.country)
    return pa.table(
        {
            "user_id": profiles.user_id.tolist(),
            "country": profiles.country.tolist(),
            "birth_year": pa.nulls(size, pa.int32()),
            "signed_up_on": pa.nulls(size, pa.date32()),
            "known_at": _days(profiles.known_day),
        }
    )


def _valued(columns: Columns, day: date) -> dict[str, pa.Array]:
    """State columns as a feature table stores them: ages as the instants they count from."""
    midnight = datetime.combine(day, datetime.min.time(), UTC).timestamp()
    found = {"valid_from": pa.array([day] * columns.rows, pa.date32())}
    for name in columns.names:
        value = columns[name].astype(np.float64)
        if name.endswith("_age"):
            instant = np.round(midnight - value * DAY_SECONDS)
            at = pa.array(np.nan_to_num(instant).astype("datetime64[s]"))
            found[name.removesuffix("_age") + "_at"] = at
        else:
            found[name] = pa.array(value)
    return found


def _pairs(state: State, pairs: PairTable, key: str, items: pa.StringArray) -> dict[str, pa.Array]:
    user = np.repeat(np.arange(len(state.user_ids)), np.diff(pairs.indptr))
    names = {"user_id": state.user_ids.take(pa.array(user)), key: items.take(pa.array(pairs.item))}
    return names | _valued(pairs.columns, state.valid_on)


def _features(state: State) -> dict[str, pa.Table]:
    catalogue = state.catalogue
    tracks, artists = catalogue.track_ids, catalogue.artist_ids
    columns = {
        "users": {"user_id": state.user_ids} | _valued(state.users, state.valid_on),
        "tracks": {"track_id": tracks} | _valued(state.tracks, state.valid_on),
        "user_tracks": _pairs(state, state.user_tracks, "track_id", tracks),
        "user_artists": _pairs(state, state.user_artists, "artist_id", artists),
    }
    return {f"features.{name}": pa.table(found) for name, found in columns.items()}


def _first_known(ids: pa.ChunkedArray, days: pa.ChunkedArray, name: str) -> pa.Table:
    found = pa.table({name: ids, "day": days}).group_by(name).aggregate([("day", "min")])
    return found.rename_columns({"day_min": "first_known_on"})


def write_warehouse(world: World, path: Path, days: Sequence[date]) -> None:
    """The relations of `world` in the DuckDB file `path`, with states of `days`."""
    tracks, listens = _tracks(world), _listens(world)
    friends = world.friendships
    relations = {
        "intermediate.friendships": pa.table(
            {
                "user_id": friends.user_id.tolist(),
                "friend_id": friends.friend_id.tolist(),
                "first_known_on": _days(friends.known_day),
            }
        ),
        "staging.tracks": tracks,
        "staging.users": _profiles(world),
        "intermediate.listens": listens,
        "intermediate.tracks": _first_known(tracks["track_id"], tracks["known_at"], "track_id"),
        "intermediate.users": _first_known(listens["user_id"], listens["known_on"], "user_id"),
    }
    states = [_features(state_of(world, day)) for day in days]
    relations |= {name: pa.concat_tables([one[name] for one in states]) for name in states[0]}
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, table in relations.items():
            connection.execute(f"create schema if not exists {name.split('.')[0]}")
            connection.register("given", table)
            connection.execute(f"create table {name} as select * from given")
            connection.unregister("given")
