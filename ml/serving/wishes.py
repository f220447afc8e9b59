"""What one request asks to leave out, beyond the surface's rules.

Belongs here: candidates that must not be ranked for this listener now. Does not belong here: rules of a
surface (ml.policy).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.candidates.merge import Pool
from ml.state.state import State


@dataclass(frozen=True, slots=True)
class Wishes:
    """`explicit` False leaves out tracks marked explicit; `artists` and `tracks` are ids to leave out."""

    explicit: bool = True
    artists: tuple[str, ...] = ()
    tracks: tuple[str, ...] = ()


ANYTHING = Wishes()


def unwanted(pool: Pool, state: State, wishes: Wishes) -> NDArray[np.bool_]:
    """Rows that the wishes leave out."""
    catalogue = state.catalogue
    out = np.zeros(len(pool.track), dtype=np.bool_)
    if not wishes.explicit:
        out |= catalogue.explicit[pool.track] == 1
    if wishes.artists:
        blocked = [state.artist_index[one] for one in wishes.artists if one in state.artist_index]
        out |= np.isin(catalogue.artist[pool.track], blocked)
    if wishes.tracks:
        blocked = [state.track_index[one] for one in wishes.tracks if one in state.track_index]
        out |= np.isin(pool.track, blocked)
    return out
