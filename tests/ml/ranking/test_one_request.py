"""Features of one request have the bits of the same request in a block."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from ml.candidates.merge import Pool
from ml.ranking.features import assemble
from ml.ranking.friend_features import friend_features
from ml.ranking.reasons import explain, explain_few
from ml.state.requests import Requests
from ml.state.state import State

TRACKS, D = 60, 8
GENERATORS = ("transitions", "same_artist", "popularity")


def asked(users: list[int], sessions: list[list[int]], surface: str) -> Requests:
    return Requests(
        surface,
        pa.array([f"r{row}" for row in range(len(users))], pa.string()),
        pa.array([f"u{user}" for user in users], pa.string()),
        np.array(users, np.int32),
        np.full(len(users), 9 * 3_600, np.int64),
        np.cumsum([0, *map(len, sessions)]).astype(np.int64),
        np.array([track for session in sessions for track in session], np.int32),
    )


def pooled(size: int) -> Pool:
    """Every second track for every request, each generator reaching two thirds of them."""
    draw = np.random.default_rng(2)
    request = np.repeat(np.arange(size, dtype=np.int32), TRACKS // 2)
    track = np.tile(np.arange(0, TRACKS, 2, dtype=np.int32), size)
    rank = draw.integers(1, 50, (len(GENERATORS), len(track))).astype(np.float32)
    rank[draw.random(rank.shape) < 1 / 3] = np.nan
    rank[2] = np.where(np.isnan(rank).all(axis=0), 1, rank[2])
    return Pool(request, track, GENERATORS, 1 / rank, rank)


@pytest.fixture
def state(make_state: Callable[..., State], stream: Callable[..., dict[str, float]]) -> State:
    plays = {
        (user, track): stream(1.0 + track) for user in range(3) for track in range(user, 40, 3)
    }
    return make_state(3, TRACKS, plays)


@pytest.mark.parametrize("surface", ["home", "now_playing"])
def test_all_features_are_those_of_a_block(state: State, surface: str) -> None:
    draw = np.random.default_rng(3)
    vectors = draw.normal(size=(TRACKS, D)).astype(np.float32)
    near = sparse.random(TRACKS, TRACKS, 0.3, "csr", np.float32, draw)
    relations = {"near": near, "nearer": near.multiply(near).tocsr()}
    users, sessions = [0, 2, -1, 1], [[4, 7, 4], [], [8], list(range(50))]
    pool = pooled(4)
    whole = assemble(asked(users, sessions, surface), pool, state, vectors, relations)
    for row, (user, session) in enumerate(zip(users, sessions, strict=True)):
        own = np.flatnonzero(pool.request == row)
        part = pool.select(own)
        one = Pool(np.zeros_like(part.request), part.track, GENERATORS, part.score, part.rank)
        alone = assemble(asked([user], [session], surface), one, state, vectors, relations)
        assert alone.names == whole.names
        for name, found, wanted in zip(
            whole.names, alone.values.T, whole.values[own].T, strict=True
        ):
            np.testing.assert_array_equal(found, wanted, err_msg=f"{name} of request {row}")


def test_who_follows_nobody_has_the_columns_of_a_home_without_friends(
    make_state: Callable[..., State], stream: Callable[..., dict[str, float]]
) -> None:
    """The constants of the short way are what sums over nobody give."""
    plays = {(0, 0): stream(1.0), (1, 1): stream(1.0)}
    friends = sparse.csr_matrix(np.array([[0, 1], [0, 0]], np.float32))
    plain = make_state(2, 6, plays)
    followed = State(
        plain.valid_on,
        plain.catalogue,
        plain.user_ids,
        plain.users,
        plain.tracks,
        plain.user_tracks,
        plain.user_artists,
        friends,
    )
    request, track = np.array([0, 1], np.int32), np.array([1, 0], np.int32)
    both = friend_features(asked([0, 1], [[], []], "home"), followed, request, track).columns(2)
    without = friend_features(asked([1], [[]], "home"), plain, request[:1], track[1:]).columns(1)
    assert list(both) == list(without)
    assert both["friends_count"][0] > 0
    for name, values in both.items():
        np.testing.assert_array_equal(values[1:], without[name], err_msg=name)


def test_a_few_rows_are_explained_as_all_are(state: State) -> None:
    one, pool = asked([0], [[4, 7]], "now_playing"), pooled(1)
    row = np.array([7, 0, 12, 29], np.int64)
    sources, reasons = explain(one, pool, row, state)
    few_sources, few_reasons = explain_few(one, pool, row, state)
    assert few_sources == sources.to_pylist()
    assert [[reason] for reason in few_reasons] == reasons.to_pylist()
    assert len(set(few_reasons)) > 1
