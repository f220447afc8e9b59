"""Home lists in force: who is shown which, and what is taken from them.

Belongs here: lists as arrays, position bias. Does not belong here: how a listed track is liked
(ml.simulation.liking).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.simulation.world import World
from ml.tables import SURFACES

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Shelf:
    """Home lists: `track` int64 (lists, 20), -1 = no track; `row_of` int64 (listeners), -1 = no list;
    `request_id` object (lists)."""

    track: NDArray[np.int64]
    row_of: NDArray[np.int64]
    request_id: NDArray[np.object_]


def shelf_of(world: World, recommendations: pa.Table | None) -> Shelf | None:
    """The Home lists in force as arrays, None where there are none."""
    if recommendations is None or not len(recommendations):
        return None
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


def shown_lists(
    who: NDArray[np.int64], surface: NDArray[np.int8], shelf: Shelf | None
) -> NDArray[np.int64]:
    """The list each session is shown: the first home session of a listener who has one; else -1.

    Sessions of a listener come in order of time.
    """
    shown = np.full(len(who), -1, dtype=np.int64)
    if shelf is not None:
        home = np.flatnonzero(surface == SURFACES.index("home"))
        _, first = np.unique(who[home], return_index=True)
        shown[home[first]] = shelf.row_of[who[home[first]]]
    return shown


def taken(
    shelf: Shelf, shown: NDArray[np.int64], bias: float, uniform: NDArray[np.float64]
) -> NDArray[np.int64]:
    """A track of each list by position bias 1 / rank^bias, -1 without a list."""
    weight = np.cumsum(np.power(np.arange(1, _SHOWN + 1), -bias))
    place = np.searchsorted(weight / weight[-1], uniform)
    found = shelf.track[np.maximum(shown, 0), np.minimum(place, _SHOWN - 1)]
    return np.where(shown >= 0, found, -1)
