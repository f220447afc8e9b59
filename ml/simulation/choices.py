"""How a listener picks the next track: proposals, how much each is liked, and what happens then.

Belongs here: hidden utilities; they never leave this package. Does not belong here: sessions and clocks
(ml.simulation.day).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.simulation.memory import SimulationState
from ml.simulation.world import World
from ml.tables import SURFACES

# Proposals a step and surface: memory, what flows on, favourite artists, own genres, everybody, news.
_MIX = {
    "home": (0.30, 0.08, 0.22, 0.22, 0.12, 0.06),
    "now_playing": (0.10, 0.62, 0.10, 0.12, 0.04, 0.02),
    "search": (0.20, 0.14, 0.36, 0.22, 0.04, 0.04),
    "library": (0.66, 0.20, 0.12, 0.02, 0.00, 0.00),
    "radio": (0.08, 0.26, 0.10, 0.26, 0.24, 0.06),
}
PROPOSALS = 5


@dataclass(frozen=True, slots=True)
class Market:
    """What everybody plays on a day: cumulative weights over tracks, for drawing.

    `all` float64 (n); `genre` float64 (n) over `genre_order` int64 (n) with `genre_start` int64
    (genres + 1); `fresh` int64 tracks of the last two weeks; `alive` bool (n).
    """

    all: NDArray[np.float64]
    genre_order: NDArray[np.int64]
    genre_start: NDArray[np.int64]
    genre: NDArray[np.float64]
    artist_order: NDArray[np.int64]
    artist_start: NDArray[np.int64]
    artist: NDArray[np.float64]
    fresh: NDArray[np.int64]
    alive: NDArray[np.bool_]


def _grouped(
    group: NDArray[np.int64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    order = np.argsort(group, kind="stable")
    start = np.searchsorted(group[order], np.arange(int(group.max()) + 2))
    return order, start, np.cumsum(weight[order])


def open_market(world: World, day: int, dropped: NDArray[np.bool_] | None) -> Market:
    """Today's weights: base popularity, a burst after release that halves in nine days, slow waves."""
    catalogue = world.catalogue
    alive = catalogue.known <= day
    if dropped is not None:
        alive &= ~dropped
    age = np.maximum(day - catalogue.known, 0)
    burst = np.where(catalogue.known > 0, 1.6 * np.power(2.0, -age / 9.0), 0.0)
    phase = np.random.default_rng([world.config.seed, 3]).random(catalogue.size)
    wave = 0.45 * np.sin(2 * np.pi * (day / 34.0 + phase))
    weight = np.where(alive, np.exp(1.15 * catalogue.quality + burst + wave), 0.0)
    fresh = np.flatnonzero(alive & (catalogue.known > 0) & (age < 14))
    return Market(
        np.cumsum(weight),
        *_grouped(catalogue.genre, weight),
        *_grouped(catalogue.artist, weight),
        fresh,
        alive,
    )


def _draw(
    cumulative: NDArray[np.float64],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    uniform: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Positions drawn by weight from [start, stop) of a cumulative weight."""
    low = np.where(start > 0, cumulative[np.maximum(start - 1, 0)], 0.0)
    high = np.where(stop > start, cumulative[np.maximum(stop - 1, 0)], low)
    at = np.searchsorted(cumulative, low + uniform * (high - low), side="right")
    inside: NDArray[np.int64] = np.clip(
        at, np.minimum(start, stop - 1).clip(0), np.maximum(stop - 1, 0)
    ).astype(np.int64)
    return inside


def remembered(
    state: SimulationState,
    who: NDArray[np.int64],
    now: NDArray[np.float64],
    world: World,
    uniform: NDArray[np.float64],
) -> NDArray[np.int64]:
    """A track out of memory by age^-d of its plays (ACT-R), -1 where there is none."""
    track, age = state.track[who], now[:, None] - state.time[who] + 1.0 / 24.0
    strength = np.where(
        track >= 0, np.power(np.maximum(age, 1.0 / 48.0), -world.config.forgetting), 0.0
    )
    total = np.cumsum(strength, axis=1)
    slot = (total < (uniform * total[:, -1])[:, None]).sum(axis=1)
    found = track[np.arange(len(who)), np.minimum(slot, track.shape[1] - 1)]
    return np.where(total[:, -1] > 0, found, -1).astype(np.int64)


def propose(
    world: World,
    market: Market,
    state: SimulationState,
    who: NDArray[np.int64],
    surface: NDArray[np.int8],
    last: NDArray[np.int64],
    now: NDArray[np.float64],
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """One proposal for each running session, a track index."""
    size = len(who)
    listeners, catalogue = world.listeners, world.catalogue
    mix = np.array([_MIX.get(name, _MIX["library"]) for name in SURFACES])[surface]
    bend = np.ones_like(mix)
    bend[:, 4] = 0.3 + 1.4 * listeners.mainstream[who]
    bend[:, 5] = 0.3 + 2.0 * listeners.novelty[who]
    bend[:, 0] = 1.5 - listeners.novelty[who]
    mix = np.cumsum(mix * bend, axis=1)
    kind = (random.random(size)[:, None] * mix[:, -1:] > mix).sum(axis=1)
    uniform = random.random(size)
    chosen = _draw(market.all, np.zeros(size, np.int64), np.full(size, catalogue.size), uniform)
    genre = (random.random(size)[:, None] > np.cumsum(listeners.genre_share[who], axis=1)).sum(
        axis=1
    )
    genre = np.minimum(genre, len(market.genre_start) - 2)
    at = _draw(market.genre, market.genre_start[genre], market.genre_start[genre + 1], uniform)
    chosen = np.where(kind == 3, market.genre_order[at], chosen)
    rank = np.minimum(random.geometric(0.25, size) - 1, listeners.favourites.shape[1] - 1)
    artist = listeners.favourites[who, rank]
    at = _draw(market.artist, market.artist_start[artist], market.artist_start[artist + 1], uniform)
    chosen = np.where(kind == 2, market.artist_order[at], chosen)
    flows = _flow(world, last, random)
    chosen = np.where((kind == 1) & (last >= 0), flows, chosen)
    memory = remembered(state, who, now, world, uniform)
    chosen = np.where((kind == 0) & (memory >= 0), memory, chosen)
    if len(market.fresh):
        news = market.fresh[(uniform * len(market.fresh)).astype(np.int64)]
        chosen = np.where(kind == 5, news, chosen)
    return chosen


def _flow(world: World, last: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
    """What follows the last track: the next of its record, or one of its twenty neighbours."""
    catalogue = world.catalogue
    safe = np.maximum(last, 0)
    following = np.minimum(safe + 1, catalogue.size - 1)
    on_record = catalogue.album[following] == catalogue.album[safe]
    on_record &= catalogue.artist[following] == catalogue.artist[safe]
    rank = np.minimum(random.geometric(0.22, len(last)) - 1, catalogue.neighbours.shape[1] - 1)
    neighbour = catalogue.neighbours[safe, rank]
    on_record &= random.random(len(last)) < 0.35
    chosen: NDArray[np.int64] = np.where(on_record, following, neighbour).astype(np.int64)
    return chosen


def utility(
    world: World,
    market: Market,
    state: SimulationState,
    taste: NDArray[np.float32],
    who: NDArray[np.int64],
    track: NDArray[np.int64],
    last: NDArray[np.int64],
    now: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How much each listener would like each proposal now: (sessions, proposals).

    Taste, fame for those who care, flow from the last track, the pull of memory, and satiation: every
    play of the last day beyond the third puts the track off.
    """
    catalogue, listeners = world.catalogue, world.listeners
    fit = np.einsum("sd,spd->sp", taste[who], catalogue.latent[track])
    fame = listeners.mainstream[who][:, None] * catalogue.quality[track]
    flow = (
        np.einsum("sd,spd->sp", catalogue.latent[np.maximum(last, 0)], catalogue.latent[track])
        * (last >= 0)[:, None]
    )
    heard = state.track[who][:, None, :] == track[:, :, None]
    recent = (now[:, None] - state.time[who] < 1.0)[:, None, :]
    plays, today = heard.sum(axis=2), (heard & recent).sum(axis=2)
    tired = np.maximum(today - 1, 0) * (3.0 / world.config.satiation)
    own = listeners.favourites[who][:, None, :3] == catalogue.artist[track][:, :, None]
    loved = own.any(axis=2)
    total = 2.6 * fit + 0.35 * fame + 1.1 * flow + 0.5 * np.log1p(plays) - 1.2 * tired + 0.3 * loved
    return np.where(market.alive[track], total, -50.0)
