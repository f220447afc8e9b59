"""What goes wrong, when a world is told to let it.

Belongs here: one function an incident. Does not belong here: when it begins (ml.simulation.living).
"""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.simulation.day import Plays
from ml.simulation.world import World
from ml.tables import LISTENS, SURFACES

_BOTS = 3
_BOT_PLAYS = 700


def shifted_taste(world: World) -> NDArray[np.float32]:
    """Everybody wakes up with somebody else's taste."""
    random = np.random.default_rng([world.config.seed, 30])
    return world.listeners.taste[random.permutation(len(world.listeners.taste))]


def dropped_tracks(world: World) -> NDArray[np.bool_]:
    """A third of all artists leave, with all their tracks."""
    random = np.random.default_rng([world.config.seed, 31])
    artists = int(world.catalogue.artist.max()) + 1
    gone = random.random(artists) < 0.35
    dropped: NDArray[np.bool_] = gone[world.catalogue.artist]
    return dropped


def late_share(world: World, incident: str) -> float:
    """Share of listens that arrive one day late, or up to three in the incident."""
    return 0.35 if incident == "late_data" else world.config.late_share


def with_wrong_units(listens: pa.Table) -> pa.Table:
    """ms_played in seconds."""
    at = LISTENS.schema.get_field_index("ms_played")
    return listens.set_column(at, LISTENS.schema.field(at), pc.divide(listens["ms_played"], 1_000))


def without_surface(listens: pa.Table, surface: str) -> pa.Table:
    """A client that no longer says where it plays."""
    at = LISTENS.schema.get_field_index("surface")
    lost = pc.if_else(pc.equal(listens["surface"], surface), "unknown", listens["surface"])
    return listens.set_column(at, LISTENS.schema.field(at), lost)


def add_bots(world: World, plays: Plays, day: int) -> Plays:
    """A few accounts play hundreds of random tracks, 31 s each, around the clock."""
    random = np.random.default_rng([world.config.seed, 32, day])
    size = _BOTS * _BOT_PLAYS
    accounts = np.random.default_rng([world.config.seed, 33]).choice(
        np.flatnonzero(world.listeners.known == 0), _BOTS, replace=False
    )
    alive = np.flatnonzero(world.catalogue.known <= day)
    step = 86_000.0 / _BOT_PLAYS
    return replace(
        plays,
        who=np.concatenate([plays.who, np.repeat(accounts, _BOT_PLAYS)]),
        track=np.concatenate([plays.track, random.choice(alive, size)]),
        second=np.concatenate([plays.second, np.tile(np.arange(_BOT_PLAYS) * step, _BOTS)]),
        ms_played=np.concatenate([plays.ms_played, np.full(size, 31_000)]),
        surface=np.concatenate(
            [plays.surface, np.full(size, SURFACES.index("search"), dtype=np.int8)]
        ),
        request=np.concatenate([plays.request, np.full(size, -1)]),
    )
