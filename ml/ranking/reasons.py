"""Why a track is shown, in words that follow from its winning source.

Belongs here: the text per source. Does not belong here: contributions (ml.ranking.model).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.candidates.merge import Pool
from ml.state.described import described_tracks
from ml.state.requests import Requests
from ml.state.state import State

# What is said when a source wins; {artist} and {last} are filled in where they are known.
_TEXTS = {
    "repeat_memory": "you keep coming back to it",
    "repeat_artist": "because you play {artist}",
    "item_item": "goes with what you play",
    "ease": "goes with what you play",
    "ials": "listeners with your taste play it",
    "friends": "friends listen to it",
    "recent_walk": "near what you played last",
    "genre_popularity": "popular in your genres",
    "country_popularity": "popular in your country",
    "content": "sounds like what you play",
    "popularity": "popular these days",
    "fresh": "new, and close to your taste",
    "transitions": "often follows {last}",
    "walk": "often near {last}",
    "session_knn": "fits this session",
    "suffix": "has followed these tracks before",
    "session_item_item": "fits this session",
    "session_content": "sounds like this session",
    "session_memory": "one of yours that fits this session",
    "same_artist": "more by {artist}",
}
_OTHER = "chosen for you"


def _filled(text: str, artist: pa.Array, last: pa.Array) -> pa.Array:
    for field, values in (("{artist}", artist), ("{last}", last)):
        before, found, after = text.partition(field)
        if found:
            joined = pc.binary_join_element_wise(before, values, after, "")
            return pc.fill_null(joined, _OTHER)
    return pa.array([text] * len(artist), pa.string())


def _last_titles(requests: Requests, state: State) -> pa.Array:
    has_last = requests.session_length() > 0
    position = np.maximum(requests.session_indptr[1:] - 1, 0)
    last = np.zeros(len(requests), dtype=np.int32)
    last[has_last] = requests.session_track[position[has_last]]
    return state.catalogue.titles.take(pa.array(last, mask=~has_last))


def explain_few(
    requests: Requests, pool: Pool, row: NDArray[np.int64], state: State
) -> tuple[list[list[str]], list[str]]:
    """The same as `explain` for one request's shown rows, without Arrow's 20 us a call."""
    rank = np.ascontiguousarray(pool.rank[:, row].T)
    # What is not a number sorts last and does not equal itself.
    order = rank.argsort(axis=1, kind="stable").tolist()
    count = np.add.reduce(rank == rank, axis=1).tolist()
    sources = [
        [pool.generators[place] for place in places[:many]]
        for places, many in zip(order, count, strict=True)
    ]
    tracks, ended = pool.track[row].tolist(), requests.session_track[-1:].tolist()
    words = described_tracks(state, tracks + ended)
    last = words[ended[0]].title if ended else None
    reasons = []
    for places, track in zip(order, tracks, strict=True):
        text = _TEXTS.get(pool.generators[places[0]], _OTHER)
        if "{artist}" in text:
            artist = words[track].artist
            text = _OTHER if artist is None else text.replace("{artist}", artist)
        if "{last}" in text:
            text = _OTHER if last is None else text.replace("{last}", last)
        reasons.append(text)
    return sources, reasons


def explain(
    requests: Requests, pool: Pool, row: NDArray[np.int64], state: State
) -> tuple[pa.ListArray, pa.ListArray]:
    """(sources, reasons) of the shown rows: all sources that proposed the track, best rank first,
    and one sentence for the winning one; ties go to the earlier generator of the plan."""
    rank = np.where(np.isnan(pool.rank[:, row]), np.inf, pool.rank[:, row])
    order = np.argsort(rank, axis=0, kind="stable")
    count = np.isfinite(rank).sum(axis=0)
    names = pa.array(pool.generators, pa.string())
    steps = np.arange(len(pool.generators))[:, None] < count[None, :]
    flat = order.T[steps.T]
    offsets = pa.array(np.concatenate([[0], np.cumsum(count)]).astype(np.int32))
    sources = pa.ListArray.from_arrays(offsets, names.take(pa.array(flat)))
    catalogue = state.catalogue
    artist = catalogue.artist_names.take(pa.array(pool.track[row]))
    last = _last_titles(requests, state).take(pa.array(pool.request[row]))
    winner = order[0] if len(order) else np.zeros(len(row), dtype=np.int64)
    wins = set(winner.tolist())
    unsaid = pa.nulls(len(row), pa.string())
    texts = [
        _filled(_TEXTS.get(name, _OTHER), artist, last) if place in wins else unsaid
        for place, name in enumerate(pool.generators)
    ]
    chosen = pc.choose(pa.array(winner.astype(np.int64)), *texts)
    ones = pa.array(np.arange(len(row) + 1, dtype=np.int32))
    return sources, pa.ListArray.from_arrays(ones, chosen)
