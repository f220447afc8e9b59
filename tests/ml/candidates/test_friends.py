"""A circle is friends and their friends, each by weight; its tastes are a listener's candidates."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from ml.candidates.circle import circle_of, friend_graph
from ml.candidates.friends import Friends
from ml.candidates.generator import FitInput
from ml.candidates.plan import fit_generators, grounded
from ml.state.log import Log
from ml.state.state import State
from tests.ml.asking import asked

Stream = Callable[..., dict[str, float]]


def following(users: int, *pairs: tuple[int, int]) -> sparse.csr_matrix:
    row, column = zip(*pairs, strict=True)
    return sparse.csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=(users, users))


@pytest.fixture
def state(make_state: Callable[..., State], stream: Stream) -> State:
    """0 follows 1 and 2, both follow 3, 3 follows 0; 4 follows nobody. 0 has no history."""
    plays = {
        (1, 0): stream(1.0),
        (2, 0): stream(1.0),
        (2, 1): stream(3.0),
        (3, 5): stream(1.0),
        (4, 4): stream(1.0),
    }
    friends = following(5, (0, 1), (0, 2), (1, 3), (2, 3), (2, 4), (3, 0), (4, 4))
    return replace(make_state(5, 6, plays), friends=friends)


def test_a_friend_of_many_friends_weighs_less(state: State) -> None:
    graph = friend_graph(state).toarray()
    assert graph[0].tolist() == pytest.approx([0, 1, 2**-0.5, 0, 0])


def test_the_circle_holds_friends_of_friends_and_not_the_listener(state: State) -> None:
    """3 by 1 (weight 1 x 1) and by 2 (2^-1/2 x 1), 4 by 2."""
    circle = circle_of(asked(0, 3), state).matrix().toarray()
    root = 2**-0.5
    assert circle[0].tolist() == pytest.approx([0, 1, root, 1 + root, root])
    # 3 follows 0, who has two friends; 0 follows 1 and 2.
    assert circle[1].tolist() == pytest.approx([root, root, 0.5, 0, 0])


def test_candidates_are_the_tastes_of_the_circle(state: State) -> None:
    """Taste of n streams today: 2 log(1 + n). Track 5: 3 alone; track 1: 2 alone; track 0: 1 and 2."""
    found = Friends().generate(asked(0), state, 6)
    root, one = 2**-0.5, 2 * np.log(2.0)
    assert found.track.tolist() == [5, 0, 1, 4]
    expected = [(1 + root) * one, (1 + root) * one, root * 2 * np.log(4.0), root * one]
    assert sorted(found.score.tolist(), reverse=True) == pytest.approx(
        sorted(expected, reverse=True), rel=1e-5
    )


def test_one_request_has_the_same_bits_as_a_block(state: State) -> None:
    block = Friends().generate(asked(0, 3, 2), state, 6)
    for place, user in enumerate((0, 3, 2)):
        alone = Friends().generate(asked(user), state, 6)
        own = block.request == place
        assert alone.track.tolist() == block.track[own].tolist()
        assert alone.score.tolist() == block.score[own].tolist()


def test_nobody_and_the_friendless_get_nothing(state: State) -> None:
    lonely = replace(state, friends=following(5, (0, 1)))
    assert len(Friends().generate(asked(-1, 4), lonely, 6).track) == 0


def test_a_home_without_friendships_has_no_such_source(
    state: State, make_state: Callable[..., State]
) -> None:
    nobody = make_state(5, 6)
    assert "friends" in grounded("home", state)
    assert "friends" not in grounded("home", nobody)
    assert "friends" not in grounded("now_playing", state)
    none = np.zeros(0, np.int32)
    log = Log(none, none, none, none, none.astype(np.int64), none, none, none > 0, none, 5, 6)
    data = FitInput(log, nobody.catalogue, nobody, None, nobody.valid_on, 7)
    assert list(fit_generators("home", data, ("friends", "popularity"))) == [
        "friends",
        "popularity",
    ]
    # A model that was made with friends meets a day without them.
    assert len(Friends().generate(asked(0), nobody, 6).track) == 0
