"""Lists set against what was played: the arrays behind ranking quality.

Belongs here: the join of lists and streams into ml.evaluation's arrays, and the same outcomes as
rows for Evidently. Does not belong here: metrics (ml.evaluation), thresholds (ranking_quality).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.evaluation.metrics import Lists, Truth, hits, per_request, per_user
from monitoring.evidently_pages import Ranked

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Evaluated are the listeners with a stream, whether or not they had a list.

    `lists` and `truth` hold their requests, `user` int32 (requests) the listener of each: a
    listener without a list has one request with an empty list. `listed` bool (listeners) tells who
    had one. `shown` are the lists of everybody, `repeats` bool row-aligned with it, None when
    nobody knows what was heard before.
    """

    lists: Lists
    truth: Truth
    user: NDArray[np.int32]
    listed: NDArray[np.bool_]
    shown: Lists
    repeats: NDArray[np.bool_] | None

    @property
    def listeners(self) -> int:
        """How many listeners are evaluated."""
        return len(self.listed)

    @property
    def streamed(self) -> int:
        """Distinct pairs of listener and track streamed."""
        relevant, first = self.truth.relevant(), np.unique(self.user, return_index=True)[1]
        return int(relevant[first].sum())

    def per_listener(self, metric: str, k: int) -> Floats:
        """A metric of ml.evaluation at k, per request and then per listener, in order of ids."""
        return per_user(per_request(self.lists, self.truth, k)[metric], self.user)[1]

    def distinct_tracks(self, k: int) -> int:
        """Tracks named in any top k."""
        return len(np.unique(self.shown.track[self.shown.rank <= k]))

    def repeat_share(self, k: int) -> float | None:
        """Share of the top k heard before, None when not known."""
        top = None if self.repeats is None else self.repeats[self.shown.rank <= k]
        return None if top is None or not len(top) else float(top.mean())


def outcomes(lists: pa.Table, streams: pa.Table) -> Outcomes:
    """Join lists (`request_id`, `user_id`, `rank`, `track_id`, optionally `is_repeat`) with streams
    (`user_id`, `track_id`); ranks are counted anew, so a gap in them does not matter."""
    users = pc.unique(streams["user_id"].cast(pa.string())).sort()
    chunks = [*_strings(lists["track_id"]), *_strings(streams["track_id"])]
    tracks = pc.unique(pa.chunked_array(chunks, pa.string()))
    ordered = lists.sort_by([("request_id", "ascending"), ("rank", "ascending")])
    user, shown = _codes(ordered["user_id"], users), _shown(ordered, tracks)
    inside = user >= 0
    _, first, request = np.unique(shown.request[inside], return_index=True, return_inverse=True)
    owner = user[inside][first]
    listed = np.isin(np.arange(len(users)), owner)
    owner = np.concatenate([owner, np.flatnonzero(~listed)])
    streamed = np.stack([_codes(streams["user_id"], users), _codes(streams["track_id"], tracks)])
    known = "is_repeat" in lists.column_names
    return Outcomes(
        Lists(request.astype(np.int32), shown.track[inside], shown.rank[inside]),
        _truth(np.unique(streamed.T, axis=0).reshape(-1, 2), owner, len(users)),
        owner.astype(np.int32),
        listed,
        shown,
        ordered["is_repeat"].fill_null(False).to_numpy() if known else None,
    )


def evidently_rows(found: Outcomes, listeners: int, k: int, seed: Sequence[int]) -> Ranked:
    """The outcomes of at most `listeners` sampled listeners as Evidently must be fed.

    One list per listener (the first by request), filled up to `k` with tracks nobody plays, then
    every relevant track the list missed: below the cut, so that it counts as missed and not as
    never wanted.
    """
    generator = np.random.default_rng(list(seed))
    count = min(listeners, found.listeners)
    chosen = np.sort(generator.choice(found.listeners, count, replace=False))
    requests = np.unique(found.user, return_index=True)[1][chosen]
    row = np.full(found.truth.requests, -1, dtype=np.int64)
    row[requests] = np.arange(count)
    top = (row[found.lists.request] >= 0) & (found.lists.rank <= k)
    at = row[found.lists.request[top]], found.lists.rank[top] - 1
    # Fillers get negative names of their own: an item may stand only once in a list.
    items = np.tile(-np.arange(1, k + 1), (count, 1))
    items[at] = found.lists.track[top]
    relevant = np.zeros((count, k), dtype=np.int64)
    relevant[at] = hits(found.lists, found.truth)[top] > 0
    wanted = row[found.truth.request] >= 0
    owner, track = row[found.truth.request[wanted]], found.truth.track[wanted].astype(np.int64)
    size = int(max(track.max(), items.max())) + 1
    listed = (np.arange(count)[:, None] * size + items)[items >= 0]
    missed = np.sort((owner * size + track)[~np.isin(owner * size + track, listed)])
    owner, track = missed // size, missed % size
    below = k + 1 + np.arange(len(owner)) - np.searchsorted(owner, owner, "left")
    columns = {
        "user": np.concatenate([np.repeat(np.arange(count), k), owner]),
        "item": np.concatenate([items.ravel(), track]),
        "position": np.concatenate([np.tile(np.arange(1, k + 1), count), below]),
        "relevant": np.concatenate([relevant.ravel(), np.ones(len(owner), np.int64)]),
    }
    return Ranked(pa.table(columns), k)


def _shown(ordered: pa.Table, tracks: pa.Array) -> Lists:
    request = _dictionary_codes(ordered["request_id"])
    starts = np.searchsorted(request, request, "left")
    return Lists(
        request.astype(np.int32),
        _codes(ordered["track_id"], tracks).astype(np.int32),
        (np.arange(len(request)) - starts + 1).astype(np.int32),
    )


def _truth(pairs: Ints, owner: Ints, listeners: int) -> Truth:
    """The listener's distinct tracks for each of their requests; `pairs` sorted by listener."""
    counts = np.bincount(pairs[:, 0], minlength=listeners)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    repeats = counts[owner]
    request = np.repeat(np.arange(len(owner)), repeats)
    offset = np.arange(len(request)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    return Truth(
        request.astype(np.int32),
        pairs[np.repeat(starts[owner], repeats) + offset, 1].astype(np.int32),
        np.ones(len(request), np.int8),
        len(owner),
    )


def _dictionary_codes(column: pa.ChunkedArray) -> Ints:
    """Codes in order of first appearance: sorted input gives sorted codes."""
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    codes: Ints = encoded.indices.to_numpy().astype(np.int64)
    return codes


def _codes(column: pa.ChunkedArray, values: pa.Array) -> Ints:
    codes: Ints = pc.index_in(column.cast(pa.string()), values).fill_null(-1).to_numpy()
    return codes.astype(np.int64)


def _strings(column: pa.ChunkedArray) -> list[pa.Array]:
    return list(column.cast(pa.string()).chunks)
