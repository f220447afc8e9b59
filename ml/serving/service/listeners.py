"""Ids of known listeners, for whoever wants to look at one.

Belongs here: choosing a few ids. Does not belong here: what is known of one (taste).
"""

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.state.state import State


def known_listeners(state: State, prefix: str, k: int) -> list[dict[str, object]]:
    """At most `k` listeners with all their streams and the recent ones (half-life 22 days).

    With a prefix the first ids that begin with it, in alphabetical order; without one those evenly spaced
    from the one who streamed most lately to the one who did least, without who never streamed.
    """
    chosen = _beginning(state, prefix, k) if prefix else _spread(state, k)
    streams, recent = state.users["streams"][chosen], state.users["streams_h22"][chosen]
    ids = state.user_ids.take(chosen).to_pylist()
    return [
        {"user_id": one, "streams": float(ever), "recent_streams": round(float(lately), 2)}
        for one, ever, lately in zip(ids, streams, recent, strict=True)
    ]


def _beginning(state: State, prefix: str, k: int) -> NDArray[np.int64]:
    begins = np.flatnonzero(np.asarray(pc.starts_with(state.user_ids, prefix)))
    ids = state.user_ids.take(begins)
    return begins[np.asarray(pc.array_sort_indices(ids))[:k].astype(np.int64)]


def _spread(state: State, k: int) -> NDArray[np.int64]:
    def made() -> NDArray[np.int64]:
        order = np.argsort(-state.users["streams_h22"], kind="stable")
        return order[state.users["streams"][order] > 0]

    order = state.once("listeners_by_recent_streams", made)
    places = np.unique(np.linspace(0, len(order) - 1, min(k, len(order))).astype(np.int64))
    return order[places]
