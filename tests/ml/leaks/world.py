"""A small world by seed, and the same world under other names.

Belongs here: its listens and tracks. Does not belong here: what is known of them on a day (knowledge).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ml.state.log import day_number

FIRST = date(2025, 3, 1)
DAYS, USERS, TRACKS, GENRES = 16, 64, 90, 3
AS_OF = FIRST + timedelta(days=DAYS)
# From this day on a track is new every day; before it the catalogue, a month old, is complete but for those.
_NEW_FROM, _NEW = 6, DAYS - 6
_STEPS, _STEP_SECONDS = 6, 190
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Tracks:
    """`track_id`, `artist_id` strings, `genre` and `known_day` integers, `vector` float32 (n, d)."""

    track_id: NDArray[np.str_]
    artist_id: NDArray[np.str_]
    genre: NDArray[np.int64]
    known_day: NDArray[np.int64]
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Listens:
    """A listen a row, in any order; `session` names a session, its start orders it."""

    user_id: NDArray[np.str_]
    track_id: NDArray[np.str_]
    session: NDArray[np.int64]
    played_at: NDArray[np.int64]
    known_day: NDArray[np.int64]
    ms: NDArray[np.int64]

    def select(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Listens":
        return Listens(*(getattr(self, name)[rows] for name in Listens.__slots__))

    def before(self, day: date) -> "Listens":
        return self.select(self.known_day < day_number(day))


@dataclass(frozen=True, slots=True)
class Friendships:
    """Who follows whom, a friendship a row."""

    user_id: NDArray[np.str_]
    friend_id: NDArray[np.str_]
    known_day: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Profiles:
    """Which country a listener says to be of, a version a row."""

    user_id: NDArray[np.str_]
    country: NDArray[np.str_]
    known_day: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class World:
    listens: Listens
    tracks: Tracks
    friendships: Friendships
    profiles: Profiles


def _made_tracks(draw: np.random.Generator) -> Tracks:
    number = np.arange(TRACKS)
    known = np.full(TRACKS, day_number(FIRST) - 30)
    known[TRACKS - _NEW :] = day_number(FIRST) + _NEW_FROM + np.arange(_NEW)
    genre = number % GENRES
    vector = np.eye(GENRES, 6)[genre] + 0.4 * draw.normal(size=(TRACKS, 6))
    vector /= np.linalg.norm(vector, axis=1, keepdims=True)
    return Tracks(
        np.char.add("t", np.char.zfill(draw.permutation(TRACKS).astype(str), 3)),
        np.char.add("a", np.char.zfill((number // 6).astype(str), 3)),
        genre,
        known,
        vector.astype(np.float32),
    )


def _chain(
    draw: np.random.Generator, taste: NDArray[np.float64], out: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Tracks of sessions, int64 (sessions, steps): favourites by `taste` (sessions, tracks), and often
    the one that follows the one before in its genre; tracks in `out` are not out yet."""
    taste = np.where(out, 0.0, taste)
    bounds = np.cumsum(taste, axis=1)
    track = np.empty((len(taste), _STEPS), dtype=np.int64)
    for step in range(_STEPS):
        drawn = (draw.random(len(taste))[:, None] * bounds[:, -1:] > bounds).sum(axis=1)
        if step:
            following = (track[:, step - 1] + GENRES) % TRACKS
            goes = draw.random(len(taste)) < 0.55
            goes &= ~out[np.arange(len(taste)), following]
            drawn = np.where(goes, following, drawn)
        track[:, step] = drawn
    return track


def _made_friendships() -> Friendships:
    """Each listener follows the five after them, one more every third day and the fifth on the last."""
    user, step = (found.ravel() for found in np.indices((USERS, 5)))
    names = np.char.add("u", np.char.zfill(np.arange(USERS).astype(str), 3))
    known = day_number(FIRST) + np.where(step < 4, 3 * step, DAYS - 1)
    return Friendships(names[user], names[(user + step + 1) % USERS], known)


def _made_profiles() -> Profiles:
    """Five of six listeners are of one of three countries from the start, every fourth moves on the last day."""
    user = np.arange(USERS)
    told, moved = user[user % 6 > 0], user[user % 4 == 0]
    names = np.char.add("u", np.char.zfill(np.concatenate([told, moved]).astype(str), 3))
    country = np.concatenate([told % 3, (moved + 1) % 3])
    known = np.repeat([day_number(FIRST), day_number(FIRST) + DAYS - 1], [len(told), len(moved)])
    return Profiles(names, np.array(["AT", "NO", "ZA"])[country], known)


@cache
def make_world(seed: int = 1) -> World:
    """64 listeners on 16 days, most of them once a day; each likes a genre and a handful of its tracks, a
    fifth of the listens are skips, some arrive a day late, and a track comes out on each later day."""
    draw = np.random.default_rng(seed)
    tracks = _made_tracks(draw)
    popular = 1.0 / (1.0 + draw.permutation(TRACKS)) ** 0.7
    liked = np.where(tracks.genre == draw.integers(0, GENRES, USERS)[:, None], 1.0, 0.06)
    taste = popular * liked * draw.gamma(0.25, size=(USERS, TRACKS))
    parts = []
    for day in range(DAYS):
        users = np.flatnonzero(draw.random(USERS) < 0.85)
        out = np.tile(tracks.known_day > day_number(FIRST) + day, (len(users), 1))
        chosen = _chain(draw, taste[users], out)
        # Distinct seconds: nothing in this world happens at the same instant.
        start = (
            (day_number(FIRST) + day) * DAY_SECONDS + 30_000 + 211 * draw.permutation(len(users))
        )
        at = (start[:, None] + np.arange(_STEPS) * _STEP_SECONDS).ravel()
        ms = np.where(draw.random(at.shape) < 0.2, 9_000, 180_000)
        late = np.repeat(draw.random(len(users)) < 0.05, _STEPS)
        names = np.char.add("u", np.char.zfill(users.astype(str), 3))
        parts.append(
            (
                np.repeat(names, _STEPS),
                tracks.track_id[chosen.ravel()],
                np.repeat(day * USERS + np.arange(len(users)), _STEPS),
                at,
                day_number(FIRST) + day + late,
                ms,
            )
        )
    listens = Listens(*map(np.concatenate, zip(*parts, strict=True)))
    return World(listens, tracks, _made_friendships(), _made_profiles())


def renamed(world: World, seed: int) -> World:
    """The same world under other ids: listeners, tracks and artists renamed at random, one to one."""
    draw = np.random.default_rng(seed)

    def names(values: NDArray[np.str_]) -> Callable[[NDArray[np.str_]], NDArray[np.str_]]:
        old = np.unique(values)
        new = np.char.add("x", np.char.zfill(draw.permutation(len(old)).astype(str), 4))
        return lambda named: new[np.searchsorted(old, named)]

    tracks, listener = names(world.tracks.track_id), names(world.listens.user_id)
    artists = names(world.tracks.artist_id)
    friends = world.friendships
    return World(
        replace(
            world.listens,
            user_id=listener(world.listens.user_id),
            track_id=tracks(world.listens.track_id),
        ),
        replace(
            world.tracks,
            track_id=tracks(world.tracks.track_id),
            artist_id=artists(world.tracks.artist_id),
        ),
        replace(friends, user_id=listener(friends.user_id), friend_id=listener(friends.friend_id)),
        replace(world.profiles, user_id=listener(world.profiles.user_id)),
    )
