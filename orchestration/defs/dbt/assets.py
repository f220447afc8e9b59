"""The dbt models as assets: staging, intermediate, features, marts.

Belongs here: how a model becomes an asset and one run of dbt becomes materializations and checks. Does
not belong here: running dbt (orchestration.dbt_runs) or SQL (dbt_project).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtProject,
    dbt_assets,
)
from dagster_dbt.asset_utils import (
    DAGSTER_DBT_UNIQUE_ID_METADATA_KEY,
    get_asset_check_key_for_test,
)

from ml.lake.damage import set_aside_damaged, told
from orchestration.dbt_runs import NodeResult, bridged, build, problems, ranges, read_manifest
from orchestration.groups import tags_of, told_of
from orchestration.home import IMPORTED, read_home
from orchestration.keys import LISTS_IN_FORCE, OWNER, RAW, WAREHOUSE_POOL
from orchestration.model_lineage import lineage_of, relation_of
from orchestration.partitions import DAYS, ONE_RANGE, run_days
from orchestration.receiving import mended_by
from orchestration.resources import HomeResource, WarehouseResource
from orchestration.settings import Settings
from orchestration.warehouse_facts import built_until, row_counts

MANIFEST = read_manifest()


class SegueTranslator(DagsterDbtTranslator):
    """Key = [schema, noun], group = schema; sources are the raw assets and the lists in force."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """[layer, noun]."""
        if dbt_resource_props["resource_type"] == "source":
            raw = dbt_resource_props["source_name"] == "raw"
            return RAW[dbt_resource_props["name"]] if raw else LISTS_IN_FORCE
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["alias"]])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The model's own description, without its SQL."""
        return str(dbt_resource_props.get("description", "")).strip()

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The schema."""
        return str(dbt_resource_props["schema"])

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """Those of the group."""
        return tags_of(dbt_resource_props["schema"])

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """Columns with their descriptions, and what the group is for."""
        return {
            **super().get_metadata(dbt_resource_props),
            **told_of(dbt_resource_props["schema"]),
        }

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """The data test, with what it asks in words."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec and spec._replace(description=asked_by(manifest["nodes"][unique_id]))

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:  # noqa: ARG002
        """One team owns the graph."""
        return [OWNER]


def asked_by(test: Mapping[str, Any]) -> str:
    """What a data test asks: its own description, or what its arguments say."""
    if not test.get("test_metadata"):
        return str(test["description"]).strip()
    asked = test["test_metadata"]["kwargs"]
    columns, expressions = asked.get("columns", ()), asked.get("expressions", ())
    days = " Only the days being built are looked at." if asked.get("since") else ""
    if columns:
        return f"{', '.join(columns)} together name one row, and none of them is missing.{days}"
    return f"True of every row: {'; '.join(expressions)}.{days}"


TRANSLATOR = SegueTranslator(DagsterDbtTranslatorSettings(enable_asset_checks=True))


@dbt_assets(
    manifest=MANIFEST,
    name="dbt_models",
    exclude="resource_type:unit_test",
    dagster_dbt_translator=TRANSLATOR,
    partitions_def=DAYS,
    backfill_policy=ONE_RANGE,
    pool=WAREHOUSE_POOL,
)
def dbt_models(
    context: dg.AssetExecutionContext, home: HomeResource, warehouse: WarehouseResource
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Build the run's days in the warehouse: one dbt run, tests beside the models.

    Raises:
        dg.Failure: a model or a test failed; its partitions are not marked as built.
    """
    settings, (start, end) = home.settings, run_days(context)
    built = warehouse.ask(built_until, default={})
    # A day that another home has not received is not silent: the models refuse to pass over it.
    if read_home(settings).source.kind == IMPORTED:
        start = bridged(start, built, home.lake.days("listens"))
    results: tuple[NodeResult, ...] = ()
    last = start
    for first, last in ranges(start, end, built):
        results = build(settings, first, last, selected_models(context))
        context.log.info(f"dbt built [{first}, {last}): {len(results)} models and tests")
        if problems(results):
            break
    yield from check_results(context.selected_asset_check_keys, results)
    # A part that failed before the last leaves partitions of the run unbuilt: none is marked.
    whole = bool(results) and last == end
    done = [one for one in results if whole and one.ok and one.unique_id.startswith("model.")]
    refuse_damaged(home, problems(results))
    yield from materialized(context.selected_asset_keys, done, settings, warehouse)
    if wrong := problems(results):
        raise dg.Failure(wrong, allow_retries=False)


def refuse_damaged(home: HomeResource, wrong: str) -> None:
    """Where something went `wrong`: set damaged files of the lake aside. Before rows are counted, since views
    read the same files.

    Raises:
        dg.Failure: there was one; it is named, with what brings its rows back.
    """
    if wrong and (damages := set_aside_damaged(home.lake)):
        text = f"{wrong}\n{told(damages, mended_by(home.record))}"
        raise dg.Failure(text, allow_retries=False)


def selected_models(context: dg.AssetExecutionContext) -> list[str]:
    """Names of the models to build, empty when it is all of them; with the views that they read, which
    hold no rows and may not stand yet."""
    every = context.assets_def.node_keys_by_output_name.values()
    if set(every) == set(context.selected_asset_keys):
        return []
    specs = context.assets_def.specs_by_key
    ids = {
        specs[key].metadata[DAGSTER_DBT_UNIQUE_ID_METADATA_KEY]
        for key in context.selected_asset_keys
    }
    return sorted(MANIFEST["nodes"][unique_id]["name"] for unique_id in ids | views_read(ids))


def views_read(ids: Iterable[str]) -> set[str]:
    """Ids of the views that models read, through other views too."""
    nodes = MANIFEST["nodes"]
    parents = {parent for one in ids for parent in nodes[one]["depends_on"]["nodes"]}
    views = {
        one for one in parents & nodes.keys() if nodes[one]["config"]["materialized"] == "view"
    }
    return views | views_read(views) if views else views


def check_results(
    selected: AbstractSet[dg.AssetCheckKey], results: Sequence[NodeResult]
) -> Iterator[dg.AssetCheckResult]:
    """dbt's data tests as check results; a test that was skipped has none."""
    for one in results:
        if not one.unique_id.startswith("test.") or one.status == "skipped":
            continue
        key = get_asset_check_key_for_test(MANIFEST, TRANSLATOR, one.unique_id, None)
        if key is None or key not in selected:
            continue
        warns = MANIFEST["nodes"][one.unique_id]["config"]["severity"].lower() == "warn"
        yield dg.AssetCheckResult(
            passed=one.status == "pass",
            asset_key=key.asset_key,
            check_name=key.name,
            severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
            metadata={"rows that fail": one.failures, "message": one.message or "none"},
        )


def materialized(
    selected: AbstractSet[dg.AssetKey],
    done: Sequence[NodeResult],
    settings: Settings,
    warehouse: WarehouseResource,
) -> Iterator[dg.MaterializeResult]:
    """Built models with row counts and column lineage."""
    relations = {one.unique_id: relation_of(MANIFEST, one.unique_id) for one in done}
    counts = warehouse.ask(partial(row_counts, relations=relations.values()), default={})
    lineage = lineage_of(MANIFEST, settings, warehouse, done)
    for one in done:
        relation = relations[one.unique_id]
        key = dg.AssetKey(relation.split("."))
        if key in selected:
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={
                    "dagster/row_count": counts[relation],
                    "dagster/column_lineage": lineage[relation],
                    "seconds": round(one.seconds, 3),
                },
            )
