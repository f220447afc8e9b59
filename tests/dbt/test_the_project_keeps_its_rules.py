"""Rules every model keeps, read from the manifest, and the tests that dbt runs itself."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode

from ml.tables import CANONICAL, RECOMMENDATIONS
from tests.dbt.conftest import DAYS, KEYS, STATE, Home, day, messages, small_world

PREFIXES = {"staging": "stg_", "intermediate": "int_", "features": "feat_", "marts": ""}
DUCKDB_TYPES = {
    pa.string(): "varchar",
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.bool_(): "boolean",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.timestamp("us", tz="UTC"): "timestamp with time zone",
    pa.list_(pa.string()): "varchar[]",
}


@pytest.fixture(scope="session")
def models(manifest: Manifest) -> list[ModelNode]:
    return [node for node in manifest.nodes.values() if node.resource_type == "model"]


def test_a_relation_is_its_layer_and_noun(models: list[ModelNode]) -> None:
    assert len(models) == 16
    for model in models:
        layer = model.fqn[1]
        assert model.schema == layer
        assert model.name == PREFIXES[layer] + model.alias


def test_every_model_and_column_is_described(models: list[ModelNode], full: Home) -> None:
    for model in models:
        assert model.description, model.name
        actual = full.rows(f"{model.schema}.{model.alias}", "false").column_names
        assert list(model.columns) == actual, model.name
        for column in model.columns.values():
            assert column.description, f"{model.name}.{column.name}"


def test_features_and_marts_enforce_a_contract(models: list[ModelNode]) -> None:
    for model in models:
        if model.fqn[1] in {"features", "marts"}:
            assert model.config.contract.enforced, model.name
            assert all(column.data_type for column in model.columns.values()), model.name


def test_only_staging_reads_sources_and_staging_reads_nothing_else(
    models: list[ModelNode],
) -> None:
    for model in models:
        kinds = {name.split(".")[0] for name in model.depends_on.nodes}
        assert kinds == ({"source"} if model.fqn[1] == "staging" else {"model"}), model.name


def test_every_model_has_its_key_tested(manifest: Manifest, models: list[ModelNode]) -> None:
    tested = {
        node.attached_node
        for node in manifest.nodes.values()
        if node.resource_type == "test" and node.name.startswith("unique_key")
    }
    assert {model.unique_id for model in models} <= tested


def test_sources_declare_the_canonical_columns(manifest: Manifest) -> None:
    declared = {
        source.name: {column.name: column.data_type for column in source.columns.values()}
        for source in manifest.sources.values()
    }
    tables = {**CANONICAL, RECOMMENDATIONS.name: RECOMMENDATIONS}
    for name, table in tables.items():
        expected = {field.name: DUCKDB_TYPES[field.type] for field in table.schema}
        if name == "recommendations":
            expected["valid_on"] = "date"
        assert declared[name] == expected
    assert declared.keys() == tables.keys()


def test_a_state_row_is_never_null(full: Home) -> None:
    for name in STATE:
        table = full.rows(f"features.{name}")
        assert not any(column.null_count for column in table.columns)


def test_data_tests_and_unit_tests_pass(full: Home, fork: Callable) -> None:
    home = fork(full)
    result = home.dbt("test", day(0), day(DAYS))
    assert result.success, messages(result)
    kinds = [node.node.resource_type for node in result.result]
    assert kinds.count("unit_test") >= 4
    assert kinds.count("test") >= len(KEYS)


def test_a_listen_id_known_on_an_earlier_day_fails_the_build(full: Home, fork: Callable) -> None:
    home = fork(full)
    listens, _ = small_world()
    known = listens["known_at"]
    last = listens.filter(pc.greater_equal(known, pc.max(known))).slice(0, 1)
    moved = last.set_column(
        listens.schema.get_field_index("known_at"),
        listens.schema.field("known_at"),
        pc.add(last["known_at"], pa.scalar(86_400_000_000, pa.duration("us"))).cast(known.type),
    )
    home.write("listens", pa.concat_tables([listens, moved]))
    result = home.dbt("build", day(DAYS), day(DAYS + 1), "--exclude-resource-type", "unit_test")
    assert not result.success
    failed = {node.node.name for node in result.result if node.status == "fail"}
    assert failed == {"listen_ids_are_new"}
