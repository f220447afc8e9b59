"""What happens after the ranker: filters, duplicate recordings, artist caps.

Belongs here: rules that turn scored candidates into the shown list, vectorised over requests. Does not
belong here: scores.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.state.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class PolicyRules:
    """Rules of one surface.

    `artist_cap`: most tracks of one artist in a list, None = no cap. `allow_explicit`: show tracks
    marked explicit. `blocked_artists`: artist ids never shown.
    """

    artist_cap: int | None = None
    allow_explicit: bool = True
    blocked_artists: tuple[str, ...] = ()


# A cap belongs to Home, a shelf of twenty; a session may well stay with one artist.
DEFAULT_RULES = {"home": PolicyRules(artist_cap=5), "now_playing": PolicyRules()}


@dataclass(frozen=True, slots=True)
class Shown:
    """The lists: `row` int64 index into the candidates, `request` int32, `rank` int32 from 1."""

    row: NDArray[np.int64]
    request: NDArray[np.int32]
    rank: NDArray[np.int32]


def _ordinal(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many earlier rows share the row's group."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    start = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    length = np.diff(np.concatenate([start, [len(ordered)]]))
    ordinal = np.empty(len(group), dtype=np.int64)
    ordinal[order] = np.arange(len(group)) - np.repeat(start, length)
    return ordinal


def _within(request: NDArray[np.int32], value: NDArray[np.int32], most: int) -> NDArray[np.bool_]:
    """Rows that are among the first `most` of their request with their value; -1 always is."""
    width = np.int64(int(value.max(initial=0)) + 1)
    grouped = value >= 0
    kept = np.ones(len(request), dtype=np.bool_)
    kept[grouped] = _ordinal(request[grouped] * width + value[grouped]) < most
    return kept


def apply_rules(
    request: NDArray[np.int32],
    track: NDArray[np.int32],
    score: NDArray[np.float32],
    catalogue: Catalogue,
    rules: PolicyRules,
    k: int,
) -> Shown:
    """The best `k` candidates a request that the rules allow, by score, ties by smaller track index.

    Of several recordings of one song the best scored stays; an artist beyond the cap gives way.
    """
    if not len(request):
        empty = np.zeros(0, dtype=np.int32)
        return Shown(np.zeros(0, dtype=np.int64), empty, empty)
    allowed = np.ones(len(request), dtype=np.bool_)
    if not rules.allow_explicit:
        allowed &= catalogue.explicit[track] != 1
    if rules.blocked_artists:
        blocked = np.isin(
            catalogue.artist_ids.to_numpy(zero_copy_only=False), rules.blocked_artists
        )
        artist = catalogue.artist[track]
        allowed &= ~((artist >= 0) & blocked[np.maximum(artist, 0)])
    row = np.flatnonzero(allowed)
    row = row[np.lexsort((track[row], -score[row], request[row]))]
    row = row[_within(request[row], catalogue.recording[track[row]], 1)]
    if rules.artist_cap is not None:
        row = row[_within(request[row], catalogue.artist[track[row]], rules.artist_cap)]
    rank = _ordinal(request[row].astype(np.int64)).astype(np.int32) + 1
    row, rank = row[rank <= k], rank[rank <= k]
    return Shown(row, request[row], rank.astype(np.int32))
