"""A listener's circle: whom they follow, whom those follow, and what all of them stream.

Belongs here: weights of a circle and tastes of its members, shared by candidates and features. Does not
belong here: scores of tracks (friends), columns of the ranker (ml.ranking.friend_features).
"""

import numpy as np
from scipy import sparse

from ml.candidates.top import top_of_rows
from ml.state.requests import Requests
from ml.state.rows import Rows
from ml.state.state import State

# Members looked at a listener, at each step, and tracks a member: a request sums 12,000 terms at most.
_MEMBERS = 200
_TRACKS = 60
_HALF_LIFE = "streams_h180"
# Friends of friends count as much as friends. HetRec Last.fm, validation, NDCG@20: friends alone .073, with
# friends of friends at .3, 1, 2 and 4 of their weight .098, .102, .100 and .099.
_SECOND = 1.0


def friend_graph(state: State) -> sparse.csr_matrix:
    """State.friends, each friend weighing 1 / sqrt(friends of the friend), float32 (users, users): who
    follows everybody says little about each."""

    def weighted() -> sparse.csr_matrix:
        friends = state.friends
        if not state.has_friends:
            size = len(state.user_ids)
            return sparse.csr_matrix((size, size), dtype=np.float32)
        count = np.maximum(np.diff(friends.indptr), 1).astype(np.float32)
        weight = (1.0 / np.sqrt(count))[friends.indices].astype(np.float32)
        whole = sparse.csr_matrix((weight, friends.indices, friends.indptr), shape=friends.shape)
        return top_of_rows(whole, _MEMBERS)

    return state.once("friend graph", weighted)


def friend_tastes(state: State) -> sparse.csr_matrix:
    """log(1 + decayed streams) + log(1 + streams ever) of every listener's 60 strongest tracks, float32
    (users, tracks).

    What was ever streamed counts in full: a friend's taste outlives the friend's last months (HetRec
    Last.fm, validation: NDCG@20 .079 so, .073 with a fifth of it).
    """

    def tastes() -> sparse.csr_matrix:
        pairs = state.user_tracks
        taste = np.log1p(pairs.columns[_HALF_LIFE]) + np.log1p(pairs.columns["streams"])
        shape = (len(pairs.indptr) - 1, pairs.items)
        return top_of_rows(
            sparse.csr_matrix((taste, pairs.item, pairs.indptr), shape=shape), _TRACKS
        )

    return state.once("friend tastes", tastes)


def friends_of(requests: Requests, state: State) -> Rows:
    """Each listener's friends by weight in the friend graph, rows over users."""

    def followed() -> Rows:
        graph, user = friend_graph(state), requests.user
        start = graph.indptr[np.maximum(user, 0)].astype(np.int64)
        # Of nobody (-1) the row ends where it begins.
        count = graph.indptr[user + 1] - graph.indptr[np.maximum(user, 0)]
        count = np.where(user >= 0, count, 0).astype(np.int64)
        indptr = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        place = np.repeat(start - indptr[:-1], count) + np.arange(indptr[-1])
        return Rows(indptr, graph.indices[place], graph.data[place], graph.shape[1])

    return requests.once(state, "friends", followed)


def circle_of(requests: Requests, state: State) -> Rows:
    """The strongest 200 of each listener's friends and friends of friends, without the listener, rows over
    users."""

    def circle() -> Rows:
        direct = friends_of(requests, state)
        second = _without_self(direct.times(friend_graph(state)), requests)
        return direct.plus(second, _SECOND).strongest(_MEMBERS)

    return requests.once(state, "circle", circle)


def _without_self(rows: Rows, requests: Requests) -> Rows:
    owner = np.repeat(np.arange(len(rows)), np.diff(rows.indptr))
    kept = rows.column != requests.user[owner]
    before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    return Rows(before[rows.indptr], rows.column[kept], rows.value[kept], rows.width)


def circle_tastes(requests: Requests, state: State) -> Rows:
    """What each listener's circle streams, weighted by member, rows over tracks."""
    return requests.once(
        state,
        "circle tastes",
        lambda: circle_of(requests, state).times(friend_tastes(state)),
    )
