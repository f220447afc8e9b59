"""Column lineage of the dbt models as Dagster shows it.

Belongs here: from a manifest and the SQL that ran to TableColumnLineage. Does not belong here: reading
SQL (orchestration.lineage).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from orchestration.dbt_runs import NodeResult, project_digest
from orchestration.keys import LISTS_IN_FORCE
from orchestration.lineage import Lineage, column_lineage, store_lineage, stored_lineage
from orchestration.resources import WarehouseResource
from orchestration.settings import Settings
from orchestration.warehouse_facts import column_types


def relation_of(manifest: Mapping[str, Any], unique_id: str) -> str:
    """`schema.name` of a model."""
    node = manifest["nodes"][unique_id]
    return f"{node['schema']}.{node['alias']}"


def lineage_of(
    manifest: Mapping[str, Any],
    settings: Settings,
    warehouse: WarehouseResource,
    done: Sequence[NodeResult],
) -> dict[str, dg.TableColumnLineage]:
    """Column lineage of each built model by relation, read from its SQL when first seen."""
    digest = project_digest()
    known: Lineage = stored_lineage(settings.dbt_target, digest)
    new = [one for one in done if relation_of(manifest, one.unique_id) not in known]
    if new:
        schema: dict[str, dict[str, str]] = warehouse.ask(column_types, default={})
        for one in new:
            known[relation_of(manifest, one.unique_id)] = _sources(manifest, one, schema)
        store_lineage(settings.dbt_target, digest, known)
    return {relation: _as_dagster(columns) for relation, columns in known.items()}


def _sources(
    manifest: Mapping[str, Any], one: NodeResult, schema: Mapping[str, Mapping[str, str]]
) -> dict[str, list[tuple[str, str]]]:
    relation = relation_of(manifest, one.unique_id)
    outside = [
        name
        for name in manifest["nodes"][one.unique_id]["depends_on"]["nodes"]
        if name.startswith("source.")
    ]
    if not outside:
        return column_lineage(one.compiled, relation, schema)
    # A staging view renames nothing: its columns are those of the files it reads.
    source = manifest["sources"][outside[0]]
    name = f"{source['source_name']}.{source['name']}"
    return {
        column: [(name, column)] if column in source["columns"] else []
        for column in schema[relation]
    }


def _as_dagster(columns: Mapping[str, Sequence[tuple[str, str]]]) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(_key(table), name) for table, name in sources]
            for column, sources in columns.items()
        }
    )


def _key(relation: str) -> dg.AssetKey:
    key = dg.AssetKey(relation.split("."))
    return LISTS_IN_FORCE if key.path == ["serving", "recommendations"] else key
