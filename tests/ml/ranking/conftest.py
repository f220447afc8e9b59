"""A small stored run and what was known around it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ml.ranking.asked import numbered
from ml.ranking.contexts import Context, context_of
from ml.ranking.run import TrainingRun
from ml.ranking.verdicts import evaluate
from ml.state.state import State
from tests.ml.ranking.tiny_run import DAYS, LISTENERS, TRACKS, requests, tiny_run

Make = Callable[..., State]


@pytest.fixture
def context(make_state: Make, stream: Callable[..., dict[str, float]]) -> Context:
    """Two test days; every listener has heard the even tracks, three times each."""
    plays = {(u, t): stream(3.0) for u in range(LISTENERS) for t in range(0, TRACKS, 2)}
    state = make_state(LISTENERS, TRACKS, plays)
    states = tuple(replace(state, valid_on=day) for day in DAYS[4:])
    return context_of(numbered([requests(), requests()], states), state.catalogue, None)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    return tiny_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def evaluated(run: TrainingRun, context: Context) -> TrainingRun:
    if not (run.evaluation / "comparison.parquet").is_file():
        evaluate(run, context.days[0].state.catalogue, {"home": context}, 1)
    return run
