"""What comes to a listener's mind next: proposals out of memory, taste, flow and fashion.

Belongs here: where proposals come from. Does not belong here: how much each is liked
(ml.simulation.liking).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.simulation.market import EVERYTHING, NEWS, Market
from ml.simulation.memory import Moment
from ml.simulation.world import World
from ml.tables import SURFACES

_MEMORY, _FLOW, _ARTIST, _GENRE, _EVERYBODY, _NEWS = range(6)
# Proposals a step and surface: memory, what flows on, favourite artists, own genres, everybody, news.
_MIX = {
    "home": (0.30, 0.08, 0.22, 0.22, 0.12, 0.06),
    "now_playing": (0.10, 0.62, 0.10, 0.12, 0.04, 0.02),
    "search": (0.20, 0.14, 0.36, 0.22, 0.04, 0.04),
    "library": (0.66, 0.20, 0.12, 0.02, 0.00, 0.00),
    "radio": (0.08, 0.26, 0.10, 0.26, 0.24, 0.06),
}
_MIXES = np.array([_MIX.get(name, _MIX["library"]) for name in SURFACES])
PROPOSALS = 5


@dataclass(frozen=True, slots=True)
class _Draws:
    """Random numbers of n proposals: `session` int64 row of the moment; `kind`, `which`, `genre`,
    `record` float64 in [0, 1); `favourite` and `neighbour` int64 ranks from 0, without upper limit.
    """

    session: NDArray[np.int64]
    kind: NDArray[np.float64]
    which: NDArray[np.float64]
    genre: NDArray[np.float64]
    record: NDArray[np.float64]
    favourite: NDArray[np.int64]
    neighbour: NDArray[np.int64]


def _roll(sessions: int, random: np.random.Generator) -> _Draws:
    """Draws of PROPOSALS proposals a session, the first of every session first."""
    size = PROPOSALS * sessions
    return _Draws(
        session=np.tile(np.arange(sessions), PROPOSALS),
        kind=random.random(size),
        which=random.random(size),
        genre=random.random(size),
        record=random.random(size),
        favourite=random.geometric(0.25, size) - 1,
        neighbour=random.geometric(0.22, size) - 1,
    )


def _kinds(world: World, at: Moment, draws: _Draws) -> NDArray[np.int64]:
    """Where each proposal comes from, by surface and temper."""
    novelty, mainstream = world.listeners.novelty[at.who], world.listeners.mainstream[at.who]
    mix = _MIXES[at.surface]
    mix[:, _EVERYBODY] *= 0.3 + 1.4 * mainstream
    mix[:, _NEWS] *= 0.3 + 2.0 * novelty
    mix[:, _MEMORY] *= 1.5 - novelty
    limits = np.cumsum(mix, axis=1)[draws.session]
    kinds: NDArray[np.int64] = np.count_nonzero(
        draws.kind[:, None] * limits[:, -1:] > limits, axis=1
    )
    return kinds


def propose(
    world: World, market: Market, at: Moment, random: np.random.Generator
) -> NDArray[np.int64]:
    """Track indices (m, PROPOSALS) for the m running sessions."""
    draws = _roll(len(at.who), random)
    kinds = _kinds(world, at, draws)
    chosen = np.full(len(kinds), -1, dtype=np.int64)
    old, on = np.flatnonzero(kinds == _MEMORY), np.flatnonzero(kinds == _FLOW)
    chosen[old] = remembered(at, draws.session[old], draws.which[old], world.config.forgetting)
    chosen[on] = _flowing(world, at, draws, on)
    # Who remembers nothing and has heard nothing yet plays what everybody plays.
    rest = np.flatnonzero(chosen < 0)
    chosen[rest] = market.draw(_groups(world, market, at, draws, kinds)[rest], draws.which[rest])
    return chosen.reshape(PROPOSALS, -1).T


def _groups(
    world: World, market: Market, at: Moment, draws: _Draws, kinds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The group of the market that each proposal is drawn from."""
    listeners = world.listeners
    group = np.where(kinds == _NEWS, NEWS, EVERYTHING)
    loved = np.flatnonzero(kinds == _ARTIST)
    rank = np.minimum(draws.favourite[loved], listeners.favourites.shape[1] - 1)
    group[loved] = market.artist(listeners.favourites[at.who[draws.session[loved]], rank])
    own = np.flatnonzero(kinds == _GENRE)
    limits = listeners.genre_limits[at.who[draws.session[own]]]
    # The last limit may fall short of 1 by a rounding.
    genre = np.count_nonzero(draws.genre[own, None] > limits[:, :-1], axis=1)
    group[own] = market.genre(genre)
    return group


def remembered(
    at: Moment, session: NDArray[np.int64], which: NDArray[np.float64], forgetting: float
) -> NDArray[np.int64]:
    """For n draws `which` in [0, 1): a track out of the memory of session number `session`, each play
    by age^-forgetting (ACT-R base-level activation; age in days and an hour); -1 without memory.
    """
    age = np.maximum(at.ago + 1.0 / 24.0, 1.0 / 48.0)
    strength = np.where(at.heard >= 0, np.power(age, -forgetting), 0.0)
    total = np.cumsum(strength, axis=1)[session]
    slot = np.count_nonzero(total < (which * total[:, -1])[:, None], axis=1)
    found = at.heard[session, np.minimum(slot, total.shape[1] - 1)]
    return np.where(total[:, -1] > 0, found, -1).astype(np.int64)


def _flowing(world: World, at: Moment, draws: _Draws, row: NDArray[np.int64]) -> NDArray[np.int64]:
    """What follows the last track: the next of its record, or one of its twenty neighbours; -1 at the
    start of a session."""
    catalogue, last = world.catalogue, at.last[draws.session[row]]
    following = np.minimum(last + 1, catalogue.size - 1)
    on_record = catalogue.album[following] == catalogue.album[last]
    on_record &= catalogue.artist[following] == catalogue.artist[last]
    on_record &= draws.record[row] < 0.35
    rank = np.minimum(draws.neighbour[row], catalogue.neighbours.shape[1] - 1)
    after = np.where(on_record, following, catalogue.neighbours[last, rank])
    return np.where(last >= 0, after, -1).astype(np.int64)
