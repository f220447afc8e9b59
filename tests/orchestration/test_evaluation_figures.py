"""The evaluation in the warehouse, in Dagster's table and in the terminal."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ml.errors import SegueError
from ml.evaluation.intervals import Interval
from ml.evaluation.splits import Windows
from ml.evaluation.table import Row, to_arrow
from ml.files import replace_table
from ml.ranking.run import TrainingRun, begin_run
from ml.ranking.training import Sampling, TrainingPlan
from orchestration.cli.evaluating import (
    next_step,
    print_evaluation,
    show_comparison,
    step_after,
)
from orchestration.defs.evaluation.figures import table_metadata, tabulate
from orchestration.home import IMPORTED, SIMULATED
from orchestration.settings import Settings

AS_OF = date(2026, 3, 12)
NOTHING = Interval(float("nan"), float("nan"), float("nan"), 0)


def rows() -> list[Row]:
    """Segue and one rival, two metrics."""
    found = []
    for metric, mean in (("ndcg@10", 0.5), ("recall@20", 0.6), ("hit_rate@10", 0.7)):
        own = Interval(mean, mean - 0.1, mean + 0.1, 40)
        found.append(Row("home", "segue", metric, own, None))
        gap = Interval(0.2, 0.1, 0.3, 40)
        found.append(
            Row("home", "popularity", metric, Interval(mean - 0.2, 0.1, 0.4, 40), gap, 0.02)
        )
    return sorted(found, key=lambda row: row.model != "segue")


def stored(training: Path, as_of: date = AS_OF) -> TrainingRun:
    days = [as_of - timedelta(days=back) for back in (3, 2, 1)]
    plan = TrainingPlan(as_of, Windows(*[(day,) for day in days]), 7, Sampling())
    run = begin_run(training, plan)
    replace_table(run.evaluation / "comparison.parquet", to_arrow(rows()))
    slices = {
        "surface": ["home", "home"], "family": ["time of day"] * 2, "slice": ["night"] * 2,
        "model": ["segue", "popularity"], "metric": ["ndcg@10"] * 2, "mean": [0.5, 0.3],
        "low": [0.4, 0.2], "high": [0.6, 0.4], "users": [40, 40],
    }  # fmt: skip
    replace_table(run.evaluation / "slices.parquet", pa.table(slices))
    gaps = {name: values[1:] for name, values in slices.items()} | {"mean": [0.2], "p": [0.01]}
    replace_table(run.evaluation / "slice_advantages.parquet", pa.table(gaps))
    return run


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def test_a_training_tabulated_twice_stands_once(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    run = stored(tmp_path)
    assert tabulate(warehouse, run) == tabulate(warehouse, run) == 8


def test_another_training_keeps_its_rows(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    tabulate(warehouse, stored(tmp_path, AS_OF))
    tabulate(warehouse, stored(tmp_path, AS_OF + timedelta(days=7)))
    counted = warehouse.execute(
        "select as_of, count(*) from evaluation.figures group by 1 order by 1"
    ).fetchall()
    assert counted == [(AS_OF, 8), (AS_OF + timedelta(days=7), 8)]


def test_a_slice_stands_beside_the_advantage_there_and_what_is_not_known_is_null(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    tabulate(warehouse, stored(tmp_path))
    found = warehouse.execute(
        "select part, slice, model, mean, advantage, p from evaluation.figures "
        "where part = 'time of day' or (model = 'segue' and metric = 'ndcg@10') order by all"
    ).fetchall()
    assert found == [
        ("all tracks", None, "segue", 0.5, None, None),
        ("time of day", "night", "popularity", 0.3, 0.2, 0.01),
        ("time of day", "night", "segue", 0.5, None, None),
    ]


def test_the_ui_shows_a_record_a_model_with_bounds() -> None:
    first, second = table_metadata(rows()).records
    assert first.data["model"] == "segue"
    assert first.data["ndcg@10"] == 0.5
    assert "recall@20" not in first.data
    assert first.data["advantage"] == ""
    assert second.data["advantage"] == "0.2000 [0.1000, 0.3000]"
    assert second.data["p (Holm)"] == 0.02


def test_the_ui_shows_nothing_where_nobody_had_anything_to_find() -> None:
    [record] = table_metadata([Row("home", "segue", "ndcg@10", NOTHING, None)]).records
    assert record.data["ndcg@10"] == ""


def test_the_terminal_shows_the_adjusted_p(capsys: pytest.CaptureFixture[str]) -> None:
    show_comparison(to_arrow(rows()), "as of today")
    shown = capsys.readouterr().out
    assert "0.200 [0.100, 0.300]" in shown
    assert ".020" in shown


def test_an_evaluation_that_is_not_there_names_the_command(settings: Settings) -> None:
    run = stored(settings.training)
    (run.evaluation / "comparison.parquet").unlink()
    with pytest.raises(SegueError, match="segue run train"):
        print_evaluation()


def test_a_training_that_ended_before_the_gate_is_begun_again(settings: Settings) -> None:
    run = stored(settings.training)
    assert next_step(settings, run, datetime(2026, 3, 12, tzinfo=UTC)).startswith("segue run train")


@pytest.mark.parametrize(
    ("kind", "serves", "coming", "waiting", "step"),
    [
        (SIMULATED, True, AS_OF, True, "segue run daily"),
        (SIMULATED, False, None, False, "segue simulate"),
        (IMPORTED, False, None, False, "segue import"),
        (IMPORTED, True, None, True, "segue review"),
        (IMPORTED, True, None, False, "segue ui"),
    ],
)
def test_the_next_step_fits_the_home(
    kind: str, serves: bool, coming: date | None, waiting: bool, step: str
) -> None:
    assert step_after(kind, serves=serves, coming=coming, waiting=waiting).startswith(step)
