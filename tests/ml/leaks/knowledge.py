"""What is known of a small world on a day: its state and its log, as dbt would make them.

Belongs here: the state's columns from listens, in a few lines of NumPy. Does not belong here: the
warehouse's own proofs (tests/dbt).
"""

from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from ml.state.catalogue import Catalogue
from ml.state.columns import Columns, PairTable
from ml.state.log import Log, day_number
from ml.state.state import (
    TRACK_COLUMNS,
    USER_ARTIST_COLUMNS,
    USER_COLUMNS,
    USER_TRACK_COLUMNS,
    State,
)
from tests.ml.leaks.world import DAY_SECONDS, GENRES, Listens, Tracks, World

Values = NDArray[np.float64]


def _user_ids(listens: Listens) -> NDArray[np.str_]:
    """Known listeners by (first day known, id)."""
    users, owner = np.unique(listens.user_id, return_inverse=True)
    first = np.full(len(users), np.iinfo(np.int64).max)
    np.minimum.at(first, owner, listens.known_day)
    return users[np.lexsort((users, first))]


def _places(values: NDArray[np.str_], known: NDArray[np.str_]) -> NDArray[np.int64]:
    order = np.argsort(known)
    return order[np.searchsorted(known[order], values)]


def _catalogue(tracks: Tracks, day: date) -> tuple[Catalogue, NDArray[np.int64]]:
    """The catalogue of a day, and the row of `tracks` of each of its tracks."""
    row = np.flatnonzero(tracks.known_day < day_number(day))
    row = row[np.lexsort((tracks.track_id[row], tracks.known_day[row]))]
    artists, artist = np.unique(tracks.artist_id[row], return_inverse=True)
    size = len(row)
    genres = sparse.csr_matrix(
        (np.ones(size, np.float32), (np.arange(size), tracks.genre[row])), shape=(size, GENRES)
    )
    ids = pa.array(tracks.track_id[row].tolist(), pa.string())
    catalogue = Catalogue(
        track_ids=ids,
        titles=ids,
        artist_names=pa.array(artists[artist].tolist(), pa.string()),
        artist_ids=pa.array(artists.tolist(), pa.string()),
        artist=artist.astype(np.int32),
        album=artist.astype(np.int32),
        recording=np.arange(size, dtype=np.int32),
        released_day=tracks.known_day[row].astype(np.int32),
        first_known_day=tracks.known_day[row].astype(np.int32),
        duration_ms=np.full(size, 200_000, np.float32),
        explicit=np.zeros(size, np.int8),
        audio=np.tile(tracks.vector[row, :1], (1, 7)).astype(np.float32),
        genres=genres,
    )
    return catalogue, row


def _first_of(*keys: NDArray[np.int64]) -> Values:
    """1 where a combination of keys stands for the first time, 0 elsewhere; rows are in time order."""
    _, first = np.unique(np.stack(keys), axis=1, return_index=True)
    flag = np.zeros(len(keys[0]))
    flag[first] = 1.0
    return flag


def _facts(
    listens: Listens, user: NDArray[np.int64], track: NDArray[np.int64]
) -> dict[str, Values]:
    """What each listen adds to the count of that name; rows are in time order."""
    streams = (listens.ms >= 30_000).astype(np.float64)
    new = _first_of(user, track)
    return {
        "plays": np.ones(len(user)),
        "streams": streams,
        "skips": 1.0 - streams,
        "listeners": new,
        "new_tracks": new,
        "repeats": 1.0 - new,
        "sessions": _first_of(user, listens.session),
        "active_days": _first_of(user, listens.played_at // DAY_SECONDS),
    }


def _summed(
    names: tuple[str, ...], key: NDArray[np.int64], size: int, facts: dict[str, Values], age: Values
) -> Columns:
    """State columns of `size` keys: sums, decayed sums and ages by their names."""
    values = np.zeros((len(names), size), dtype=np.float32)
    for row, name in enumerate(names):
        base, _, half_life = name.rpartition("_h")
        if name.endswith("_age"):
            extreme = np.maximum if name.startswith("first") else np.minimum
            found = np.full(size, -np.inf if name.startswith("first") else np.inf)
            extreme.at(found, key, age)
            values[row] = np.where(np.isfinite(found), found, np.nan)
        elif half_life.isdigit():
            weight = facts[base] * 2.0 ** (-age / int(half_life))
            values[row] = np.bincount(key, weights=weight, minlength=size)
        else:
            values[row] = np.bincount(key, weights=facts[name], minlength=size)
    return Columns(names, values)


def _friends(world: World, users: NDArray[np.str_], day: date) -> sparse.csr_matrix:
    """Friendships of known listeners that were known before `day`."""
    found = world.friendships
    kept = np.isin(found.user_id, users) & np.isin(found.friend_id, users)
    kept &= found.known_day < day_number(day)
    row, column = (_places(ids[kept], users) for ids in (found.user_id, found.friend_id))
    ones = np.ones(len(row), np.float32)
    return sparse.csr_matrix((ones, (row, column)), shape=(len(users), len(users)))


def _countries(world: World, users: NDArray[np.str_], day: date) -> NDArray[np.int32]:
    """The country of each listener as of the last version known before `day`, -1 unknown."""
    found = world.profiles
    kept = np.flatnonzero(np.isin(found.user_id, users) & (found.known_day < day_number(day)))
    kept = kept[np.argsort(found.known_day[kept], kind="stable")]
    _, code = np.unique(found.country, return_inverse=True)
    country = np.full(len(users), -1, np.int32)
    country[_places(found.user_id[kept], users)] = code[kept]
    return country


def state_of(world: World, day: date) -> State:
    """All that is known before 00:00 UTC of `day`."""
    listens = world.listens.before(day)
    listens = listens.select(np.argsort(listens.played_at, kind="stable"))
    users = _user_ids(listens)
    catalogue, row = _catalogue(world.tracks, day)
    user = _places(listens.user_id, users)
    track = _places(listens.track_id, world.tracks.track_id[row])
    age = (day_number(day) * DAY_SECONDS - listens.played_at) / DAY_SECONDS
    facts = _facts(listens, user, track)

    def pairs(names: tuple[str, ...], item: NDArray[np.int64], items: int) -> PairTable:
        known, key = np.unique(user * items + item, return_inverse=True)
        count = np.bincount(known // items, minlength=len(users))
        return PairTable(
            np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
            (known % items).astype(np.int32),
            _summed(names, key, len(known), facts, age),
            items,
        )

    artists = len(catalogue.artist_ids)
    artist = catalogue.artist[track].astype(np.int64)
    return State(
        valid_on=day,
        catalogue=catalogue,
        user_ids=pa.array(users.tolist(), pa.string()),
        users=_summed(USER_COLUMNS, user, len(users), facts, age),
        tracks=_summed(TRACK_COLUMNS, track, catalogue.size, facts, age),
        user_tracks=pairs(USER_TRACK_COLUMNS, track, catalogue.size),
        user_artists=pairs(USER_ARTIST_COLUMNS, artist, artists),
        friends=_friends(world, users, day),
        country=_countries(world, users, day),
    )


def log_of(world: World, state: State) -> Log:
    """Every listen known before the state's day, in the state's indices."""
    listens = world.listens.before(state.valid_on)
    sessions, owner = np.unique(listens.session, return_inverse=True)
    start = np.full(len(sessions), np.iinfo(np.int64).max)
    np.minimum.at(start, owner, listens.played_at)
    place = np.empty(len(sessions), dtype=np.int64)
    place[np.lexsort((sessions, start))] = np.arange(len(sessions))
    order = np.lexsort((listens.played_at, place[owner]))
    listens, session = listens.select(order), place[owner[order]]
    position = np.arange(len(session)) - np.searchsorted(session, session)
    users = np.array(state.user_ids.to_pylist())
    tracks = np.array(state.catalogue.track_ids.to_pylist())
    return Log(
        user=_places(listens.user_id, users).astype(np.int32),
        track=_places(listens.track_id, tracks).astype(np.int32),
        session=session.astype(np.int32),
        position=position.astype(np.int32),
        played_at=listens.played_at,
        known_day=listens.known_day.astype(np.int32),
        ms_played=listens.ms.astype(np.int32),
        is_stream=listens.ms >= 30_000,
        surface=np.zeros(len(session), np.int8),
        users=len(users),
        tracks=len(tracks),
    )


def vectors_of(world: World, state: State) -> NDArray[np.float32]:
    """Text vectors of the state's tracks, float32 (tracks, d)."""
    tracks = np.array(state.catalogue.track_ids.to_pylist())
    return world.tracks.vector[_places(tracks, world.tracks.track_id)]
