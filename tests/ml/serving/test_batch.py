"""A day's lists, whatever the blocks and the threads, and the sample of their inputs, whatever the threads."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from ml.candidates.generator import FitInput
from ml.serving import recommender as answers
from ml.serving.batch import daily_requests, recommend_day
from ml.serving.recommender import Recommender
from ml.serving.sample import Sample, drawn
from ml.state.requests import Requests, requests_from_table
from ml.state.state import State
from tests.ml.serving.service.conftest import TRACKS, USERS, log_of, plays_of, surface_model

K = 5


@pytest.fixture
def small(make_state: Callable[..., State], stream: Callable[..., dict]) -> Recommender:
    """Twelve listeners, so that blocks of five leave a rest."""
    plays = {(user, track): stream(1.0) for user in range(USERS) for track in plays_of(user)}
    state = make_state(users=USERS, tracks=TRACKS, plays=plays)
    vectors = np.random.default_rng(1).normal(size=(TRACKS, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    data = FitInput(log_of(state), state.catalogue, state, vectors, state.valid_on, 7)
    return Recommender("v1", state, {"home": surface_model("home", data, 7)})


def everybody(small: Recommender) -> Requests:
    return requests_from_table(daily_requests(small.state), "home", small.state)


def lived(
    small: Recommender, block: int, workers: int, rows: int = 10_000
) -> tuple[pa.Table, np.ndarray]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "_BLOCK", block)
        lists, inputs = recommend_day(small, K, sampled_rows=rows, seed=3, workers=workers)
    return lists, np.array([column.to_numpy() for column in inputs.columns])


def test_every_listener_gets_a_list_and_every_shown_row_its_inputs(small: Recommender) -> None:
    lists, inputs = lived(small, 200, 1)
    assert len(lists["request_id"].unique()) == USERS
    assert inputs.shape[1] == len(lists)


@pytest.mark.parametrize(("block", "workers"), [(5, 1), (5, 3), (1, 2)])
def test_blocks_and_threads_change_no_list(small: Recommender, block: int, workers: int) -> None:
    whole, inputs = lived(small, 200, 1)
    lists, again = lived(small, block, workers)
    assert lists.equals(whole)
    np.testing.assert_array_equal(again, inputs)


def test_threads_change_no_sample(small: Recommender) -> None:
    _, alone = lived(small, 5, 1, rows=7)
    _, together = lived(small, 5, 3, rows=7)
    assert alone.shape[1] == 7
    np.testing.assert_array_equal(alone, together)


def sample(values: list[float], keys: list[float]) -> Sample:
    rows = np.array(values, dtype=np.float32)[:, None]
    return Sample(("x",), rows, np.array(keys))


def test_the_smallest_keys_of_all_parts_are_the_sample_in_the_order_they_came() -> None:
    first, second = sample([1, 2, 3], [0.5, 0.1, 0.9]), sample([4, 5], [0.2, 0.05])
    joined = first.cut(2).joined(second, 3)
    assert joined.values[:, 0].tolist() == [2, 4, 5]


def test_another_seed_draws_other_rows(small: Recommender) -> None:
    requests = next(iter(answers.blocks(everybody(small))))
    answer = small.answer(requests, K)
    assert drawn(answer, 0, 1).key.tolist() == drawn(answer, 0, 1).key.tolist()
    assert drawn(answer, 0, 1).key.tolist() != drawn(answer, 0, 2).key.tolist()
    assert drawn(answer, 0, 1).key.tolist() != drawn(answer, 1, 1).key.tolist()
