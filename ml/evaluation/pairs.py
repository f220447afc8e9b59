"""Looking up pairs of numbers in other pairs: which shown track was wanted, which was heard before.

Belongs here: the one join of (owner, track) pairs. Does not belong here: what a match means.
"""

import numpy as np
from numpy.typing import NDArray

_UNKNOWN, _NEVER = -1, -2


def _keys(
    owner: NDArray[np.integer], track: NDArray[np.integer], width: int, unknown: int
) -> NDArray[np.int64]:
    key = owner.astype(np.int64) * width + track
    if len(key) and (owner.min() < 0 or track.min() < 0):
        key[(owner < 0) | (track < 0)] = unknown
    return key


def locate(
    owner: NDArray[np.integer],
    track: NDArray[np.integer],
    in_owner: NDArray[np.integer],
    in_track: NDArray[np.integer],
) -> NDArray[np.int64]:
    """Where each pair (`owner`, `track`) stands among the pairs `in_owner`, `in_track`: int64 index
    of one of its occurrences, -1 where it has none. A negative number matches nothing."""
    if not len(in_owner):
        return np.full(len(owner), -1, dtype=np.int64)
    width = int(max(track.max(initial=0), in_track.max(initial=0))) + 1
    key = _keys(in_owner, in_track, width, _UNKNOWN)
    # Truth and histories mostly come sorted: looking is cheaper than sorting once more.
    order = None if np.all(key[1:] >= key[:-1]) else np.argsort(key, kind="stable")
    if order is not None:
        key = key[order]
    sought = _keys(owner, track, width, _NEVER)
    at = np.minimum(np.searchsorted(key, sought), len(key) - 1)
    found = key[at] == sought
    return np.where(found, at if order is None else order[at], -1)
