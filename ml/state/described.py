"""The words of the tracks that are shown.

Belongs here: id, title, artist and length of a few tracks. Does not belong here: what is said with them.

Arrow makes an object for each value before it gives the text: twenty titles and artists cost 80 us among
other work. Most lists show the same tracks, so their words are kept.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ml.state.state import State

# Tracks whose words are kept with a state, some 15 MB; then it begins anew.
_MOST = 50_000


class Described(NamedTuple):
    """`duration_ms` is not a number where unknown."""

    track_id: str
    title: str | None
    artist: str | None
    duration_ms: float


def described_tracks(
    state: State, places: Sequence[int], most: int = _MOST
) -> dict[int, Described]:
    """The words of the tracks at `places` of the catalogue, and of others, by place.

    Not for two threads at a time; `most` bounds what is kept.
    """
    held: dict[int, Described] = state.once("described tracks", dict)
    if len(held) + len(places) > most:
        held.clear()
    catalogue = state.catalogue
    for place in places:
        if place not in held:
            held[place] = Described(
                catalogue.track_ids[place].as_py(),
                catalogue.titles[place].as_py(),
                catalogue.artist_names[place].as_py(),
                float(catalogue.duration_ms[place]),
            )
    return held
