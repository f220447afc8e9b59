"""One day of the world: everybody's sessions, one track a step, all listeners at once.

Belongs here: who plays what when, and what is shown. Does not belong here: tables
(ml.simulation.living) or hidden utilities (ml.simulation.liking).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.simulation.liking import heard, utility
from ml.simulation.market import EVERYTHING, Market
from ml.simulation.memory import Moment, SimulationState, moment, remember
from ml.simulation.proposals import propose
from ml.simulation.sessions import Sessions, plan_sessions
from ml.simulation.shelf import Shelf, shown_lists, taken
from ml.simulation.world import World
from ml.tables import STREAM_MS

_GAP_SECONDS = 4.0
_DAY_SECONDS = 86_400.0
# The places among the proposals that go to the list where one is shown.
_LISTED = 3


@dataclass(frozen=True, slots=True)
class Plays:
    """The day's plays in the order they were simulated: arrays (m); `request` int64 row of the shelf
    or -1; `second` float64 seconds since midnight; `seen` int64 (lists) the lists that were shown, with
    `seen_at` float64 seconds."""

    who: NDArray[np.int64]
    track: NDArray[np.int64]
    second: NDArray[np.float64]
    ms_played: NDArray[np.int64]
    surface: NDArray[np.int8]
    request: NDArray[np.int64]
    seen: NDArray[np.int64]
    seen_at: NDArray[np.float64]


class _Walk:
    """Where each of a listeners stands in a day's sessions: arrays (a), changed in place.

    `turn` int64 the running session, `stop` int64 one past the last, `left` int64 tracks to come,
    `clock` float64 seconds since midnight, `last` int64 the track before, -1 = none. `began` float64
    (sessions) seconds since midnight, NaN while not begun.
    """

    def __init__(self, plan: Sessions, free: NDArray[np.float64]) -> None:
        """`free` float64 (listeners): the second at which each last stopped listening."""
        self.plan = plan
        who, self.turn, count = np.unique(plan.who, return_index=True, return_counts=True)
        self.stop = self.turn + count
        self.left = np.zeros(len(who), dtype=np.int64)
        self.clock = free[who]
        self.last = np.full(len(who), -1, dtype=np.int64)
        self.began = np.full(len(plan.who), np.nan)
        self._begin(np.arange(len(who)))

    def _begin(self, on: NDArray[np.int64]) -> None:
        """Begin the session of `turn`; one that could not begin before midnight falls away."""
        on = on[self.turn[on] < self.stop[on]]
        session = self.turn[on]
        start = np.maximum(self.plan.start[session], self.clock[on] + self.plan.rest[session])
        today = start < _DAY_SECONDS
        on, session = on[today], session[today]
        self.clock[on] = self.began[session] = start[today]
        self.left[on] = self.plan.length[session]
        self.last[on] = -1

    def running(self) -> NDArray[np.int64]:
        """Who is listening."""
        return np.flatnonzero(self.left > 0)

    def step(
        self, on: NDArray[np.int64], played: NDArray[np.int64], seconds: NDArray[np.float64]
    ) -> None:
        """One track on; `played` is -1 where it was skipped."""
        self.last[on] = np.where(played >= 0, played, self.last[on])
        self.clock[on] += seconds
        self.left[on] -= 1
        over = on[self.left[on] == 0]
        self.turn[over] += 1
        self._begin(over)


def _offers(
    world: World,
    market: Market,
    shelf: Shelf | None,
    at: Moment,
    shown: NDArray[np.int64],
    random: np.random.Generator,
    glance: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(tracks (m, PROPOSALS), which of them come from the list shown). `glance` draws from lists alone,
    so that a list nobody is shown changes nothing."""
    track = propose(world, market, at, random)
    listed = np.zeros(track.shape, dtype=np.bool_)
    if shelf is not None:
        for place in range(_LISTED):
            offered = taken(shelf, shown, world.config.position_bias, glance.random(len(shown)))
            listed[:, place] = offered >= 0
            track[:, place] = np.where(listed[:, place], offered, track[:, place])
    # Records and neighbours know tracks that are not out yet; some were withdrawn.
    lost = np.flatnonzero(~market.alive[track].any(axis=1))
    if len(lost):
        track[lost, -1] = market.draw(np.full(len(lost), EVERYTHING), random.random(len(lost)))
    return track, listed


def live(
    world: World,
    market: Market,
    state: SimulationState,
    taste: NDArray[np.float32],
    shelf: Shelf | None,
    day: int,
) -> Plays:
    """All plays of a day; `state` is changed in place. A step is the next track of everybody who is
    listening, so that a listener hears one track at a time and remembers all of them."""
    random, glance = (np.random.default_rng([world.config.seed, n, day]) for n in (10, 11))
    plan = plan_sessions(world, day, random)
    shown = shown_lists(plan.who, plan.surface, shelf)
    walk = _Walk(plan, (state.free - day) * _DAY_SECONDS)
    parts: list[tuple[NDArray[Any], ...]] = []
    while len(on := walk.running()):
        session = walk.turn[on]
        who, surface = plan.who[session], plan.surface[session]
        second = walk.clock[on]
        now = day + second / _DAY_SECONDS
        at = moment(state, who, walk.last[on], surface, now)
        track, listed = _offers(world, market, shelf, at, shown[session], random, glance)
        liking = utility(world, market, taste, at, track)
        pick = (liking + random.gumbel(0, 0.55, liking.shape)).argmax(axis=1)
        each = np.arange(len(on))
        chosen, worth = track[each, pick], liking[each, pick]
        ms = heard(world, who, chosen, worth, random)
        request = np.where(listed[each, pick], shown[session], -1)
        parts.append((who, chosen, second, ms, surface, request))
        whole = ms >= STREAM_MS
        remember(state, who[whole], chosen[whole], now[whole])
        passed = ms / 1_000.0 + _GAP_SECONDS * random.random(len(on)) + 1.0
        state.free[who] = now + passed / _DAY_SECONDS
        walk.step(on, np.where(whole, chosen, -1), passed)
    return _plays(parts, shown, walk.began)


def _plays(
    parts: list[tuple[NDArray[Any], ...]],
    shown: NDArray[np.int64],
    began: NDArray[np.float64],
) -> Plays:
    if not parts:
        whole, real = np.zeros(0, dtype=np.int64), np.zeros(0)
        return Plays(whole, whole, real, whole, whole.astype(np.int8), whole, whole, real)
    who, track, second, ms_played, surface, request = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    seen = np.flatnonzero((shown >= 0) & ~np.isnan(began))
    return Plays(who, track, second, ms_played, surface, request, shown[seen], began[seen])
