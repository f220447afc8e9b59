"""When a listener listens: the sessions of a day.

Belongs here: starts, surfaces and lengths. Does not belong here: what is played (ml.simulation.day).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.simulation.world import World
from ml.tables import SESSION_GAP, SURFACES

_SURFACE_SHARE = {"home": 0.30, "now_playing": 0.24, "search": 0.14, "library": 0.20, "radio": 0.12}
_MOST_SESSIONS = 8
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Sessions:
    """A day's m sessions sorted by (listener, start): `who` int64, `start` float64 seconds since
    midnight, `surface` int8 index of SURFACES, `length` int64 tracks, `rest` float64 seconds that must
    have passed since the session before.
    """

    who: NDArray[np.int64]
    start: NDArray[np.float64]
    surface: NDArray[np.int8]
    length: NDArray[np.int64]
    rest: NDArray[np.float64]


def plan_sessions(world: World, day: int, random: np.random.Generator) -> Sessions:
    """The sessions that listeners mean to have; a long one may push the next back."""
    listeners = world.listeners
    weekend = 1.12 if day % 7 in {5, 6} else 1.0
    awake = (random.random(len(listeners.activity)) < listeners.activity * weekend) & (
        listeners.known <= day
    )
    count = np.where(awake, 1 + random.poisson(listeners.sessions * 0.75), 0)
    who = np.repeat(np.arange(len(count)), np.minimum(count, _MOST_SESSIONS))
    hour = (listeners.peak_hour[who] + random.normal(0, 3.2, len(who))) % 24
    names = [name for name in SURFACES if name in _SURFACE_SHARE]
    share = np.array([_SURFACE_SHARE[name] for name in names])
    drawn = random.choice(len(names), len(who), p=share / share.sum())
    surface = np.array([SURFACES.index(name) for name in names], dtype=np.int8)[drawn]
    mean = world.config.tracks_a_session * np.where(surface == SURFACES.index("search"), 0.45, 1.1)
    length = np.minimum(random.geometric(1.0 / mean), _LONGEST)
    rest = SESSION_GAP.total_seconds() + random.exponential(3_600.0, len(who))
    order = np.lexsort((hour, who))
    return Sessions(who[order], hour[order] * 3_600.0, surface[order], length[order], rest)
