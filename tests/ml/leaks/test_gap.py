"""Days between splits are in no label and in no fitted part."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import duckdb
import numpy as np
import pyarrow.compute as pc
import pytest

from ml.candidates.transitions import Transitions
from ml.evaluation.splits import Windows
from ml.ranking.examples import read_examples
from ml.ranking.honesty import honesty
from ml.ranking.run import TrainingRun, begin_run, current_run
from ml.ranking.steps import write_examples, write_sources
from ml.ranking.training import SERVE, fit_input, label_day
from ml.state.log import day_number
from ml.state.read import read_state
from ml.state.read_log import read_log
from tests.ml.leaks.trained import PLAN, SURFACES, Life
from tests.ml.leaks.warehouse import write_warehouse
from tests.ml.leaks.world import AS_OF, make_world

BACK = [AS_OF - timedelta(days=back) for back in range(8, 0, -1)]
APART = replace(
    PLAN,
    windows=Windows(train=tuple(BACK[1:3]), validation=(BACK[4],), test=tuple(BACK[6:])),
    sampling=replace(PLAN.sampling, gap=1),
)
Home = tuple[duckdb.DuckDBPyConnection, TrainingRun]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The world's warehouse and a run with a day between its splits."""
    folder = tmp_path_factory.mktemp("apart")
    write_warehouse(make_world(), folder / "warehouse.duckdb", [*BACK, AS_OF])
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        run = begin_run(folder / "training", APART)
        write_sources(connection, run)
        write_examples(connection, run)
        yield connection, run


def test_fitted_parts_end_a_gap_before_the_first_label_day() -> None:
    cuts = [APART.cut(split) for split in ("train", "validation", "test", SERVE)]
    assert cuts == [BACK[0], BACK[3], BACK[5], AS_OF]
    assert [PLAN.cut(split) for split in ("train", "test")] == [BACK[0], BACK[6]]


def test_a_listen_that_arrives_late_in_the_gap_is_a_label() -> None:
    """The windows close where the next one's label days begin, not where its parts were fitted."""
    assert [APART.closed(split) for split in ("train", "validation", "test")] == [
        BACK[4],
        BACK[6],
        AS_OF,
    ]
    life, asked = Life(make_world()), BACK[2]
    users = life.state(AS_OF).user_ids
    late = life.log.known_day == day_number(BACK[3])
    late &= life.log.played_at // 86_400 == day_number(asked)
    assert late.any()

    def labels(log):
        found = label_day("home", "train", APART, log, users, life.state(asked))
        return len(found.track)

    assert labels(life.log) > labels(life.log.select(~late))


def test_the_days_left_out_are_remembered(home: Home) -> None:
    _, run = home
    assert current_run(run.folder.parent).plan.cut("test") == BACK[5]


@pytest.mark.parametrize("surface", SURFACES)
def test_labels_are_of_the_label_days_alone(surface: str, home: Home) -> None:
    _, run = home
    for split in ("train", "validation", "test"):
        asked = read_examples(run.examples(surface, split)).requests["day"]
        assert set(pc.unique(asked).to_pylist()) == set(APART.days(split))


def test_a_generator_is_fitted_from_what_was_known_before_the_gap(home: Home) -> None:
    connection, run = home
    log = read_log(connection, read_state(connection, AS_OF))
    stored = np.load(run.sources("test", "now_playing") / "transitions" / "data.npy")

    def fitted(day) -> np.ndarray:
        data = fit_input(read_state(connection, day), log, None, APART.seed)
        return Transitions.fit(data).arrays()["data"]

    assert np.array_equal(stored, fitted(BACK[5]))
    assert not np.array_equal(stored, fitted(BACK[6]))


def test_a_run_with_gaps_has_nothing_to_hide(home: Home) -> None:
    assert honesty(*home).changed == {}
