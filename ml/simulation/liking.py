"""How much a listener would like a track now, and how long it is heard.

Belongs here: hidden utilities; they never leave this package. Does not belong here: where proposals
come from (ml.simulation.proposals).
"""

import numpy as np
from numpy.typing import NDArray

from ml.simulation.market import Market
from ml.simulation.memory import Moment
from ml.simulation.world import World


def utility(
    world: World,
    market: Market,
    taste: NDArray[np.float32],
    at: Moment,
    track: NDArray[np.int64],
) -> NDArray[np.float64]:
    """How much each listener would like each proposal now: (sessions, proposals).

    Taste, fame for those who care, flow from the last track, the pull of memory, and weariness.
    """
    catalogue, listeners = world.catalogue, world.listeners
    latent = catalogue.latent[track]
    fit = np.einsum("sd,spd->sp", taste[at.who], latent)
    fame = listeners.mainstream[at.who][:, None] * catalogue.quality[track]
    flow = np.einsum("sd,spd->sp", catalogue.latent[np.maximum(at.last, 0)], latent)
    # No track flows from itself.
    flow = np.where((at.last >= 0)[:, None] & (at.last[:, None] != track), flow, 0.0)
    plays, tired = _familiar(at, track, world.config.satiation)
    own = listeners.favourites[at.who][:, None, :3] == catalogue.artist[track][:, :, None]
    loved = own.any(axis=2)
    total = 2.6 * fit + 0.35 * fame + 1.1 * flow + 0.5 * np.log1p(plays) - 1.2 * tired + 0.3 * loved
    return np.where(market.alive[track], total, -50.0)


def _familiar(
    at: Moment, track: NDArray[np.int64], satiation: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(plays in memory, weariness) of each proposal. Plays of the last day beyond the first tire, and
    every play of the last hour."""
    same = at.heard[:, None, :] == track.astype(np.int32)[:, :, None]
    plays = np.count_nonzero(same, axis=2)
    same &= (at.ago < 1.0)[:, None, :]
    today = np.count_nonzero(same, axis=2)
    same &= (at.ago < 1.0 / 24.0)[:, None, :]
    lately = np.count_nonzero(same, axis=2)
    return plays, np.maximum(today - 1, 0) * (3.0 / satiation) + lately


def heard(
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
