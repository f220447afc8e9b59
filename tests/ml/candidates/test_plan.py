"""What is learned from whole histories is a source only where listeners come back."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ml.candidates.plan import grounded
from ml.state import state as module
from ml.state.state import State

LEARNED = {"item_item", "ease", "ials"}


@pytest.fixture(autouse=True)
def three_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MANY", 3)


def of_sessions(state: State, *sessions: float) -> State:
    """The state with so many sessions of each listener."""
    values = state.users.values.copy()
    values[state.users.names.index("sessions")] = np.array(sessions, np.float32)
    return replace(state, users=replace(state.users, values=values))


def test_where_nobody_comes_back_histories_are_no_source(make_state: Callable[..., State]) -> None:
    once = of_sessions(make_state(3, 6), 1, 1, 1)
    assert not once.has_returned
    assert not LEARNED & set(grounded("home", once))
    assert {"recent_walk", "popularity"} <= set(grounded("home", once))


def test_one_who_comes_back_is_enough(make_state: Callable[..., State]) -> None:
    assert set(grounded("home", of_sessions(make_state(3, 6), 1, 2, 1))) >= LEARNED


def test_of_few_listeners_nothing_can_be_said(make_state: Callable[..., State]) -> None:
    assert set(grounded("home", of_sessions(make_state(2, 6), 1, 1))) >= LEARNED
