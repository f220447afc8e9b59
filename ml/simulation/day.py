"""One day of the world: sessions step by step, all listeners at once.

Belongs here: who plays what when, on which surface, and what is shown. Does not belong here: tables
(ml.simulation.living) or hidden utilities (ml.simulation.choices).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.simulation.choices import PROPOSALS, Market, propose, utility
from ml.simulation.memory import PLAYS, SimulationState
from ml.simulation.world import World
from ml.tables import SURFACES

_SURFACE_SHARE = {"home": 0.30, "now_playing": 0.24, "search": 0.14, "library": 0.20, "radio": 0.12}
_LONGEST = 60
_SHOWN = 20
_GAP_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Shelf:
    """Home lists in force: rows of listeners, `track` int64 (lists, 20), -1 = no track; `row_of` int64
    (listeners), -1 = no list; `table` the RECOMMENDATIONS rows, first rank first."""

    track: NDArray[np.int64]
    row_of: NDArray[np.int64]
    request_id: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Plays:
    """The day's plays in the order they were simulated: arrays (m); `request` int64 row of the shelf
    or -1; `second` float64 seconds since midnight; `seen` int64 (lists) whether the list was shown, with
    `seen_at` float64 seconds."""

    who: NDArray[np.int64]
    track: NDArray[np.int64]
    second: NDArray[np.float64]
    ms_played: NDArray[np.int64]
    surface: NDArray[np.int8]
    request: NDArray[np.int64]
    seen: NDArray[np.int64]
    seen_at: NDArray[np.float64]


def _start_sessions(
    world: World, day: int, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int8], NDArray[np.int64]]:
    """(listener, start second, surface, length) of the day's sessions, in order of start."""
    listeners = world.listeners
    weekend = 1.12 if day % 7 in {5, 6} else 1.0
    awake = (random.random(len(listeners.activity)) < listeners.activity * weekend) & (
        listeners.known <= day
    )
    count = np.where(awake, 1 + random.poisson(listeners.sessions * 0.75), 0)
    who = np.repeat(np.arange(len(count)), np.minimum(count, 8))
    hour = (listeners.peak_hour[who] + random.normal(0, 3.2, len(who))) % 24
    names = [name for name in SURFACES if name in _SURFACE_SHARE]
    share = np.array([_SURFACE_SHARE[name] for name in names])
    drawn = random.choice(len(names), len(who), p=share / share.sum())
    surface = np.array([SURFACES.index(name) for name in names], dtype=np.int8)[drawn]
    mean = world.config.tracks_a_session * np.where(surface == SURFACES.index("search"), 0.45, 1.1)
    length = np.minimum(random.geometric(1.0 / mean), _LONGEST)
    order = np.lexsort((who, hour))
    return who[order], hour[order] * 3_600.0, surface[order], length[order]


def _first_home(
    who: NDArray[np.int64], surface: NDArray[np.int8], shelf: Shelf | None
) -> NDArray[np.int64]:
    """The list each session is shown: the first home session of a listener who has one; else -1."""
    shown = np.full(len(who), -1, dtype=np.int64)
    if shelf is not None:
        home = np.flatnonzero(surface == SURFACES.index("home"))
        _, first = np.unique(who[home], return_index=True)
        shown[home[first]] = shelf.row_of[who[home[first]]]
    return shown


def _from_shelf(
    world: World, shelf: Shelf, shown: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.int64]:
    """A track of the list by position bias 1 / rank^eta, -1 without a list."""
    weight = np.power(np.arange(1, _SHOWN + 1), -world.config.position_bias)
    place = np.searchsorted(np.cumsum(weight) / weight.sum(), random.random(len(shown)))
    found = shelf.track[np.maximum(shown, 0), np.minimum(place, _SHOWN - 1)]
    return np.where(shown >= 0, found, -1)


def _heard(
    world: World,
    who: NDArray[np.int64],
    track: NDArray[np.int64],
    liking: NDArray[np.float64],
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """Milliseconds played: what is liked less is skipped sooner, by the impatient most."""
    duration = world.catalogue.duration_ms[track]
    patience = world.listeners.patience[who]
    skip = 1.0 / (1.0 + np.exp(1.05 * liking + 1.6 * patience - 1.9))
    skipped = random.random(len(who)) < skip
    early = random.integers(1_000, 29_500, len(who))
    partly = random.random(len(who)) < 0.12
    share = np.where(
        partly, random.uniform(0.25, 0.8, len(who)), random.uniform(0.93, 1.0, len(who))
    )
    whole = np.maximum((share * duration).astype(np.int64), 31_000)
    return np.where(skipped, early, whole)


def _remember(
    state: SimulationState,
    who: NDArray[np.int64],
    track: NDArray[np.int64],
    time: NDArray[np.float64],
) -> None:
    slot = state.cursor[who] % PLAYS
    state.track[who, slot] = track
    state.time[who, slot] = time
    state.cursor[who] += 1


def live(
    world: World,
    market: Market,
    state: SimulationState,
    taste: NDArray[np.float32],
    shelf: Shelf | None,
    day: int,
) -> Plays:
    """All plays of a day; `state` is changed in place. Sessions of one listener run side by side in
    steps, so a listener is remembered once a step, the first session first."""
    random = np.random.default_rng([world.config.seed, 10, day])
    who, start, surface, length = _start_sessions(world, day, random)
    shown = _first_home(who, surface, shelf)
    clock, last = start.copy(), np.full(len(who), -1, dtype=np.int64)
    parts: list[tuple[NDArray[Any], ...]] = []
    for step in range(int(length.max(initial=0))):
        on = np.flatnonzero(length > step)
        now = day + clock[on] / 86_400.0
        offers = [
            propose(world, market, state, who[on], surface[on], last[on], now, random)
            for _ in range(PROPOSALS)
        ]
        listed = np.zeros((len(on), PROPOSALS), dtype=np.bool_)
        if shelf is not None:
            for place in range(3):
                listed_track = _from_shelf(world, shelf, shown[on], random)
                offers[place] = np.where(listed_track >= 0, listed_track, offers[place])
                listed[:, place] = listed_track >= 0
        track = np.stack(offers, axis=1)
        liking = utility(world, market, state, taste, who[on], track, last[on], now)
        pick = (liking + random.gumbel(0, 0.55, liking.shape)).argmax(axis=1)
        each = np.arange(len(on))
        chosen, worth = track[each, pick], liking[each, pick]
        ms = _heard(world, who[on], chosen, worth, random)
        request = np.where(listed[each, pick], shown[on], -1)
        parts.append((who[on], chosen, clock[on].copy(), ms, surface[on], request))
        _, first = np.unique(who[on], return_index=True)
        liked = first[ms[first] >= 30_000]
        _remember(state, who[on][liked], chosen[liked], now[liked])
        last[on] = np.where(ms >= 30_000, chosen, last[on])
        clock[on] += ms / 1_000.0 + _GAP_SECONDS * random.random(len(on)) + 1.0
    return _plays(parts, shown, start)


def _plays(
    parts: list[tuple[NDArray[Any], ...]],
    shown: NDArray[np.int64],
    start: NDArray[np.float64],
) -> Plays:
    if not parts:
        whole, real = np.zeros(0, dtype=np.int64), np.zeros(0)
        return Plays(whole, whole, real, whole, whole.astype(np.int8), whole, whole, real)
    who, track, second, ms_played, surface, request = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    seen = np.flatnonzero(shown >= 0)
    return Plays(who, track, second, ms_played, surface, request, shown[seen], start[seen])


def shelf_of(world: World, recommendations: pa.Table | None) -> Shelf | None:
    """The Home lists in force as arrays, None where there are none."""
    if recommendations is None or not len(recommendations):
        return None
    import pyarrow.compute as pc

    home = recommendations.filter(pc.equal(recommendations["surface"], "home"))
    ids = home["request_id"].combine_chunks().dictionary_encode()
    row = np.asarray(ids.indices)
    rank = home["rank"].to_numpy()
    known = world.catalogue.table["track_id"].combine_chunks()
    found = np.asarray(pc.fill_null(pc.index_in(home["track_id"], value_set=known), -1), np.int64)
    track = np.full((len(ids.dictionary), _SHOWN), -1, dtype=np.int64)
    inside = rank <= _SHOWN
    track[row[inside], rank[inside] - 1] = found[inside]
    users = world.listeners.table["user_id"].combine_chunks()
    listener = np.asarray(pc.fill_null(pc.index_in(home["user_id"], value_set=users), -1), np.int64)
    row_of = np.full(len(users), -1, dtype=np.int64)
    row_of[listener[listener >= 0]] = row[listener >= 0]
    return Shelf(track, row_of, np.array(ids.dictionary.to_pylist(), dtype=object))
