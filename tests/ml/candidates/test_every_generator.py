"""What every generator keeps, whatever it learns."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from ml.candidates.generator import Candidates, FitInput, Generator
from ml.candidates.plan import PLAN
from ml.state.log import Log, day_number
from ml.state.requests import Requests
from ml.state.state import State

EVERY = [generator for plan in PLAN.values() for generator, _ in plan]


def log_of(state: State) -> Log:
    """Two listeners, two sessions each of tracks 0 to 3, on the two days before the state."""
    user = np.repeat([0, 1, 0, 1], 3).astype(np.int32)
    session = np.repeat(np.arange(4), 3).astype(np.int32)
    track = np.array([0, 1, 2, 0, 1, 3, 1, 2, 3, 0, 2, 3], np.int32)
    day = day_number(state.valid_on) - np.repeat([2, 2, 1, 1], 3)
    position = np.tile(np.arange(3), 4).astype(np.int32)
    return Log(
        user=user,
        track=track,
        session=session,
        position=position,
        played_at=(day * 86_400 + session * 3_600 + position * 200).astype(np.int64),
        known_day=day.astype(np.int32),
        ms_played=np.full(12, 200_000, np.int32),
        is_stream=np.ones(12, np.bool_),
        surface=np.zeros(12, np.int8),
        users=2,
        tracks=state.catalogue.size,
    )


def both_friends() -> sparse.csr_matrix:
    """Two listeners who follow each other."""
    return sparse.csr_matrix(np.array([[0, 1], [1, 0]], np.float32))


@pytest.fixture
def data(make_state: Callable[..., State], stream: Callable[..., dict[str, float]]) -> FitInput:
    plays = {(user, track): stream(2.0) for user in (0, 1) for track in range(4)}
    country = np.array([0, 1], np.int32)
    state = replace(make_state(2, 6, plays), friends=both_friends(), country=country)
    vectors = np.eye(6, 8, dtype=np.float32)
    return FitInput(log_of(state), state.catalogue, state, vectors, state.valid_on, 7)


def requests_of(
    surface: str, users: list[int], sessions: list[list[int]], state: State
) -> Requests:
    lengths = [len(one) for one in sessions]
    at = (day_number(state.valid_on) * 86_400) * np.ones(len(users), np.int64)
    return Requests(
        surface,
        pa.array([f"r{i}" for i in range(len(users))], pa.string()),
        pa.array([f"u{user}" if user >= 0 else None for user in users], pa.string()),
        np.array(users, np.int32),
        at,
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.array([track for one in sessions for track in one], np.int32),
    )


def answer(generator: type[Generator], data: FitInput, k: int = 3) -> Candidates:
    """A listener with and one without a session, an unknown one, an anonymous session."""
    surface = generator.surfaces[0]
    asked = requests_of(surface, [0, 1, -1, -1], [[0, 1], [], [], [2]], data.state)
    return generator.fit(data).generate(asked, data.state, k)


@pytest.mark.parametrize("generator", EVERY, ids=lambda one: one.name)
def test_lists_are_short_ordered_and_without_doubles(
    generator: type[Generator], data: FitInput
) -> None:
    found = answer(generator, data)
    keys = list(zip(found.request.tolist(), found.rank.tolist(), strict=True))
    assert keys == sorted(keys)
    for request in set(found.request.tolist()):
        mine = found.request == request
        assert found.rank[mine].tolist() == list(range(1, mine.sum() + 1))
        assert mine.sum() <= 3
        assert len(set(found.track[mine].tolist())) == mine.sum()
    assert ((found.track >= 0) & (found.track < 6)).all()
    assert np.isfinite(found.score).all()


@pytest.mark.parametrize("generator", EVERY, ids=lambda one: one.name)
def test_only_strangers_without_a_session_are_no_error(
    generator: type[Generator], data: FitInput
) -> None:
    asked = requests_of(generator.surfaces[0], [-1, -1], [[], []], data.state)
    found = generator.fit(data).generate(asked, data.state, 3)
    assert set(found.request.tolist()) <= {0, 1}


@pytest.mark.parametrize("generator", EVERY, ids=lambda one: one.name)
def test_stored_arrays_give_the_same_lists(generator: type[Generator], data: FitInput) -> None:
    fitted = generator.fit(data)
    again = generator.restore(fitted.arrays(), np.arange(6, dtype=np.int32), 6)
    asked = requests_of(generator.surfaces[0], [0, 1], [[0, 1], [2]], data.state)
    first, second = (one.generate(asked, data.state, 3) for one in (fitted, again))
    assert first.track.tolist() == second.track.tolist()
    np.testing.assert_allclose(first.score, second.score, atol=1e-6)


@pytest.mark.parametrize("generator", EVERY, ids=lambda one: one.name)
def test_the_same_input_gives_the_same_lists(generator: type[Generator], data: FitInput) -> None:
    first, second = answer(generator, data), answer(generator, data)
    assert first.track.tolist() == second.track.tolist()
    np.testing.assert_allclose(first.score, second.score, atol=1e-9)


def test_listens_after_the_cut_do_not_reach_a_generator(data: FitInput) -> None:
    """The cut is made before fitting: what is known on the day itself is gone."""
    later = replace(data.log, known_day=data.log.known_day + 1)
    kept = later.before(data.as_of)
    assert len(kept) == 6
    assert (kept.known_day < day_number(data.as_of)).all()
    assert len(later.before(data.as_of - timedelta(days=5))) == 0
