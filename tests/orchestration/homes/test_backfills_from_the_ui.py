"""Days launched from the UI: a backfill is one ranged run, single days go in order or name what is missing."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import duckdb
import numpy as np
import pytest

from orchestration.beginning import FIRST_DAY
from orchestration.jobs import HISTORY_GROUPS
from orchestration.notify import failure_text
from tests.orchestration.homes.conftest import segue
from tests.orchestration.homes.running_ui import RunningUi, segue_ui, until

pytestmark = pytest.mark.e2e

WORLD = ("--listeners", "40", "--tracks", "200", "--days", "10", "--seed", "5")
DAYS = [(FIRST_DAY + timedelta(days=n)).isoformat() for n in range(4)]


def begun(place: Path) -> Path:
    """A simulated home that has lived nothing."""
    home = place / "home"
    segue(home, "simulate", *WORLD)
    return home


def ranged(ui: RunningUi) -> list[dg.DagsterRun]:
    """The runs of a backfill of every table of the history over the days, as the UI launches it."""
    with_groups = "{ assetNodes { assetKey { path } groupName isPartitioned isMaterializable } }"
    nodes = ui.ask(with_groups)["assetNodes"]
    assets = [
        dg.AssetKey(one["assetKey"]["path"])
        for one in nodes
        if one["groupName"] in HISTORY_GROUPS and one["isPartitioned"] and one["isMaterializable"]
    ]
    backfill = ui.backfill(assets, DAYS)

    def finished() -> bool | None:
        found = ui.instance.get_backfill(backfill)
        return (found is not None and found.status.name.startswith("COMPLETED")) or None

    until(finished, "the backfill's end")
    return list(ui.instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": backfill})))


def single_days(ui: RunningUi, days: list[str]) -> list[dg.DagsterRun]:
    """Runs of single days, put into the queue at once, in this order."""
    return [ui.ended(one) for one in [ui.launch("bootstrap", day) for day in days]]


def tables(home: Path) -> dict[str, dict[str, np.ndarray]]:
    """Columns of every table of the history, rows in the order of what is no float."""
    found = {}
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_type = 'BASE TABLE' "
            "and table_schema in ('intermediate', 'features', 'marts') order by all"
        ).fetchall()
        for [name] in names:
            kinds = connection.execute(f"describe {name}").fetchall()
            keys = [column for column, kind, *_ in kinds if kind not in ("DOUBLE", "FLOAT")]
            query = f"select * from {name} order by {', '.join(keys)}"
            found[name] = connection.execute(query).fetchnumpy()
    return found


@pytest.fixture(scope="module")
def by_backfill(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, list[dg.DagsterRun]]]:
    """A home whose days were launched as one backfill, and its runs."""
    home = begun(tmp_path_factory.mktemp("ranged"))
    with segue_ui(home) as ui:
        runs = ranged(ui)
    yield home, runs
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def by_day(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, list[dg.DagsterRun], str]]:
    """A home whose days were put into the queue one by one at once, one of them too early; its runs and
    what the early one said."""
    home = begun(tmp_path_factory.mktemp("single"))
    first, second, third, fourth = DAYS
    with segue_ui(home) as ui:
        runs = single_days(ui, [first, third, second, third, fourth])
        events = ui.instance.all_logs(runs[1].run_id)
        said = failure_text([one.dagster_event for one in events if one.dagster_event])
    yield home, runs, said
    shutil.rmtree(home)


def test_a_backfill_of_days_is_one_run(by_backfill: tuple[Path, list[dg.DagsterRun]]) -> None:
    [run] = by_backfill[1]
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert run.tags["dagster/asset_partition_range_start"] == DAYS[0]
    assert run.tags["dagster/asset_partition_range_end"] == DAYS[-1]


def test_a_day_before_its_turn_is_refused_with_the_missing_day_named_and_no_other_fails(
    by_day: tuple[Path, list[dg.DagsterRun], str],
) -> None:
    _, runs, said = by_day
    ends = [one.status.name for one in runs]
    assert ends == ["SUCCESS", "FAILURE", "SUCCESS", "SUCCESS", "SUCCESS"]
    assert DAYS[1] in said
    assert "lock" not in said.lower()


def test_both_ways_give_the_same_rows(
    by_backfill: tuple[Path, list[dg.DagsterRun]], by_day: tuple[Path, list[dg.DagsterRun], str]
) -> None:
    ranged_rows, single_rows = tables(by_backfill[0]), tables(by_day[0])
    assert ranged_rows.keys() == single_rows.keys()
    assert len(ranged_rows["intermediate.listens"]["listen_id"]) > 1000
    for name, columns in ranged_rows.items():
        for column, values in columns.items():
            other, where = single_rows[name][column], f"{name}.{column}"
            if values.dtype.kind == "f":
                # Sums that cross rows differ in the last bits.
                np.testing.assert_allclose(other, values, rtol=1e-9, err_msg=where)
            else:
                np.testing.assert_array_equal(other, values, err_msg=where)
