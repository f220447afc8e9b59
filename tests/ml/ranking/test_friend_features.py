"""What friends did with a track, by hand; and who has no history but friends."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from ml.candidates.merge import Pool
from ml.ranking.features import assemble, family
from ml.ranking.friend_features import friend_features
from ml.ranking.order import strangers
from ml.ranking.selection import own_features
from ml.state.state import State
from tests.ml.asking import asked

Stream = Callable[..., dict[str, float]]


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


@pytest.fixture
def state(make_state: Callable[..., State], stream: Stream) -> State:
    """0 follows 1, 2 and 3; 1 and 2 stream track 0, 2 streams track 2 too, 3 nothing."""
    plays = {(1, 0): stream(1.0), (2, 0): stream(1.0), (2, 2): stream(3.0)}
    followed = np.zeros((4, 4), np.float32)
    followed[0, 1:] = 1.0
    return replace(make_state(4, 6, plays), friends=sparse.csr_matrix(followed))


def test_shares_are_of_the_friends_who_stream(state: State) -> None:
    found = friend_features(asked(0, 1), state, ints(0, 0, 0, 1), ints(0, 1, 2, 0)).columns(4)
    assert np.expm1(found["friends_count"]).round(5).tolist() == [2, 0, 1, 0]
    assert found["friends_share"].tolist() == [1.0, 0.0, 0.5, 0.0]
    # Tracks 0 and 1 are of one artist, track 2 of the next.
    assert found["friends_artist_share"].tolist() == [1.0, 1.0, 0.5, 0.0]
    assert np.expm1(found["friends_number"]).round(5).tolist() == [3, 3, 3, 0]
    assert np.expm1(found["friends_active"]).round(5).tolist() == [2, 2, 2, 0]
    assert found["friends_taste"][:3].tolist() == pytest.approx(
        [4 * np.log(2.0), 0.0, 2 * np.log(4.0)]
    )


def test_likeness_is_the_cosine_with_the_circle(
    make_state: Callable[..., State], stream: Stream
) -> None:
    """0 and 1 stream track 0 alike, and 1 is all that 0 follows; 1 follows nobody."""
    plays = {(0, 0): stream(1.0), (1, 0): stream(1.0)}
    friends = sparse.csr_matrix(np.array([[0, 1], [0, 0]], np.float32))
    state = replace(make_state(2, 6, plays), friends=friends)
    found = friend_features(asked(0, 1), state, ints(0, 1), ints(0, 0)).columns(2)
    assert found["friends_alike"][0] == pytest.approx(1.0)
    assert np.isnan(found["friends_alike"][1])


def test_one_request_has_the_values_of_a_block(state: State) -> None:
    block = friend_features(asked(0, 2), state, ints(0, 0, 1), ints(0, 2, 0)).columns(3)
    alone = friend_features(asked(0), state, ints(0, 0), ints(0, 2)).columns(2)
    for name, values in alone.items():
        np.testing.assert_array_equal(block[name][:2], values, err_msg=name)


@pytest.mark.parametrize("generators", [("friends", "popularity"), ("popularity",)])
def test_the_columns_come_and_go_with_the_source(state: State, generators: tuple[str, ...]) -> None:
    rank = np.ones((len(generators), 1), np.float32)
    pool = Pool(ints(0), ints(0), generators, rank, rank)
    names = assemble(asked(0), pool, state, None, {}).names
    own = [name for name in names if family(name) == "friends"]
    assert bool(own) == ("friends" in generators)
    assert all(name.startswith(own_features("friends")) for name in own)


def test_who_has_friends_but_no_history_is_a_stranger(state: State) -> None:
    """3 has neither: it is known by its profile, as before."""
    assert strangers(asked(0, 1, 3, -1), state).tolist() == [True, False, False, True]


def test_without_friendships_only_unknown_listeners_are_strangers(
    make_state: Callable[..., State],
) -> None:
    assert strangers(asked(0, -1), make_state(2, 6)).tolist() == [False, True]
