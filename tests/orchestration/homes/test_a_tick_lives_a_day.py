"""A tick of the daily schedule, seen through to the lists it makes and the lineage it records."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from ml.serving.batch import read_recommendations
from ml.tables import CANONICAL
from orchestration.defs.dbt.assets import dbt_models
from orchestration.keys import LISTS_IN_FORCE
from orchestration.settings import Settings
from tests.orchestration.homes.conftest import DAY, instance_of

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def tick(lived: Path) -> dict[str, Any]:
    """Both answers of the schedule and the id of the run between them."""
    return json.loads((lived / "tick.json").read_text())


@pytest.fixture(scope="module")
def recorded(lived: Path) -> dict[str, dict[str, dg.MetadataValue]]:
    """Metadata of the last materialization of every dbt model, by `schema.name`."""
    found = {}
    with instance_of(lived) as instance:
        for key in dbt_models.keys:
            event = instance.get_latest_materialization_event(key)
            assert event is not None, f"no materialization of {key}"
            found[".".join(key.path)] = dict(event.asset_materialization.metadata)
    return found


def columns(home: Path) -> dict[str, set[str]]:
    """Columns of every relation that lineage may name, by `schema.name`."""
    found = {f"raw.{name}": set(table.schema.names) for name, table in CANONICAL.items()}
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select table_schema || '.' || table_name, column_name from information_schema.columns"
        ).fetchall()
    for relation, column in rows:
        found.setdefault(relation, set()).add(column)
    lists = read_recommendations(Settings(home).recommendations, DAY)
    found[".".join(LISTS_IN_FORCE.path)] = set(lists.column_names)
    return found


def test_the_first_tick_asks_for_the_day_after_the_history(tick: dict[str, Any]) -> None:
    assert tick["first"]["partitions"] == ["2025-03-13"]
    assert tick["first"]["tags"]["segue/why"] == "the simulated world lives on"


def test_the_run_publishes_lists_for_the_day_after(tick: dict[str, Any], lived: Path) -> None:
    with instance_of(lived) as instance:
        assert instance.get_run_by_id(tick["run"]).status is dg.DagsterRunStatus.SUCCESS
    lists = read_recommendations(Settings(lived).recommendations, DAY)
    assert lists["valid_on"].unique().to_pylist() == [date(2025, 3, 14)]
    assert len(lists["user_id"].unique()) > 20


def test_the_next_tick_asks_for_the_day_after_that(tick: dict[str, Any]) -> None:
    assert tick["second"]["partitions"] == ["2025-03-14"]


def test_every_check_of_the_day_has_a_result_and_every_invariant_holds(
    tick: dict[str, Any], lived: Path
) -> None:
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    with instance_of(lived) as instance:
        entries = instance.all_logs(tick["run"], of_type=kind)
    results = [entry.dagster_event.asset_check_evaluation_data for entry in entries]
    evaluated = {(one.asset_key, one.check_name) for one in results}
    promised = {(spec.asset_key, spec.name) for spec in dbt_models.check_specs}
    own = {"nothing_is_lost", "every_listener_has_a_list", "no_track_twice"}
    assert promised <= evaluated
    assert own | {"scores_fall_with_rank", "verdict_is_not_act"} <= {name for _, name in evaluated}
    broken = [
        one.check_name
        for one in results
        if not one.passed and one.severity is dg.AssetCheckSeverity.ERROR
    ]
    assert broken == []


def test_every_table_records_the_rows_that_it_holds(
    recorded: dict[str, dict[str, dg.MetadataValue]], lived: Path
) -> None:
    """A staging view reads files that the run adds to after dbt has ended; tables stay as counted."""
    tables = [name for name in recorded if not name.startswith("staging.")]
    with duckdb.connect(str(lived / "warehouse.duckdb"), read_only=True) as connection:
        rows = {
            name: connection.execute(f"select count(*) from {name}").fetchall()[0][0]
            for name in tables
        }
    assert {name: recorded[name]["dagster/row_count"].value for name in tables} == rows
    assert rows["features.users"] > 0


def test_every_column_that_lineage_names_exists(
    recorded: dict[str, dict[str, dg.MetadataValue]], lived: Path
) -> None:
    known = columns(lived)
    for relation, metadata in recorded.items():
        lineage = metadata["dagster/column_lineage"].value.deps_by_column
        assert set(lineage) == known[relation], relation
        for sources in lineage.values():
            for source in sources:
                assert source.column_name in known[".".join(source.asset_key.path)], source


def test_no_model_is_without_a_column_that_comes_from_somewhere(
    recorded: dict[str, dict[str, dg.MetadataValue]],
) -> None:
    for relation, metadata in recorded.items():
        lineage = metadata["dagster/column_lineage"].value.deps_by_column
        assert any(lineage.values()), relation


def test_streams_of_a_listener_come_from_the_listens_that_are_streams(
    recorded: dict[str, dict[str, dg.MetadataValue]],
) -> None:
    lineage = recorded["features.users"]["dagster/column_lineage"].value.deps_by_column
    sources = {
        (source.asset_key.to_user_string(), source.column_name) for source in lineage["streams"]
    }
    assert ("intermediate/listens", "is_stream") in sources
    assert {asset for asset, _ in sources} == {"intermediate/listens"}
