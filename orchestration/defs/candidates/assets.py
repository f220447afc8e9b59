"""Candidate models and how much of what was played they find.

Belongs here: the two candidate assets. Does not belong here: generators (ml.candidates).
"""

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from ml.candidates.plan import PLAN
from ml.files import replace_table
from ml.ranking.honesty import Honesty, honesty
from ml.ranking.judging import candidate_recall as recall_of
from ml.ranking.run import current_run
from ml.ranking.steps import CUTS, write_sources
from ml.tables import RECOMMENDED_SURFACES
from orchestration.groups import in_group
from orchestration.keys import (
    CANDIDATE_MODELS,
    CANDIDATE_RECALL,
    LISTENS_MODEL,
    STATE,
    TRACK_VECTORS,
    TRAINING_EXAMPLES,
    WAREHOUSE_POOL,
)
from orchestration.readable import table_markdown
from orchestration.resources import HomeResource, WarehouseResource


@dg.asset(
    key=CANDIDATE_MODELS,
    **in_group("candidates"),
    description=(
        "Every generator of both surfaces, fitted once before each label window (train, validation, "
        "test) and once on everything, to serve."
    ),
    kinds={"numpy"},
    deps=[LISTENS_MODEL, *STATE, TRACK_VECTORS],
    pool=WAREHOUSE_POOL,
)
def candidate_models(home: HomeResource, warehouse: WarehouseResource):
    """Fit and store the generators at every cut."""
    run = current_run(home.settings.training)
    with warehouse.reader() as connection:
        write_sources(connection, run)
    size = sum(path.stat().st_size for path in (run.folder / "sources").rglob("*.npy"))
    lines = [
        f"| {surface} | {', '.join(generator.name for generator, _ in plan)} |"
        for surface, plan in PLAN.items()
    ]
    text = "\n".join(["| surface | generators |", "| --- | --- |", *lines])
    cuts = ", ".join(f"{cut}: {run.plan.cut(cut)}" for cut in CUTS)
    return dg.MaterializeResult(
        metadata={
            "generators": dg.MetadataValue.md(text),
            "fitted on what is known before": cuts,
            "megabytes": round(size / 1e6, 1),
        }
    )


@dg.asset(
    key=CANDIDATE_RECALL,
    **in_group("candidates"),
    description=(
        "Share of what was played on the validation days that the candidates hold: each generator "
        "alone, all together, and what each adds to the others. Beside it, whether the examples know "
        "more than was known: they are made again from a warehouse without the days after the cut."
    ),
    kinds={"parquet"},
    deps=[TRAINING_EXAMPLES],
    check_specs=[
        dg.AssetCheckSpec(
            "generators_have_distinct_roles",
            asset=CANDIDATE_RECALL,
            description="Every generator finds a played track that no other one finds.",
        ),
        dg.AssetCheckSpec(
            "examples_know_only_the_past",
            asset=CANDIDATE_RECALL,
            description="Test examples made without the days after the cut are the same ones.",
        ),
        dg.AssetCheckSpec(
            "history_was_not_filtered_first",
            asset=CANDIDATE_RECALL,
            description="The history was not reduced to often played tracks before it was cut: a rare "
            "track would then be sure to come again.",
        ),
    ],
    pool=WAREHOUSE_POOL,
)
def candidate_recall(home: HomeResource, warehouse: WarehouseResource):
    """Measure recall on the validation requests, and look for leaks in the test requests."""
    run = current_run(home.settings.training)
    with warehouse.reader() as connection:
        found = honesty(connection, run)
    metadata, tables = {}, []
    for surface in RECOMMENDED_SURFACES:
        table = recall_of(run, surface)
        if table is None:
            continue
        replace_table(run.evaluation / f"{surface}_recall.parquet", table)
        metadata[surface] = dg.MetadataValue.md(table_markdown(table))
        tables.append(table)
    checks = [roles(tables), only_the_past(found), not_filtered(found)]
    return dg.MaterializeResult(metadata=metadata, check_results=checks)


def roles(tables: list[pa.Table]) -> dg.AssetCheckResult:
    """Every generator finds at least one played track that no other one finds."""
    idle = []
    for table in tables:
        own = table.filter(pc.field("marginal") <= 0)
        idle += own["generator"].to_pylist()
    return dg.AssetCheckResult(
        passed=not idle,
        check_name="generators_have_distinct_roles",
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"adds nothing on validation": ", ".join(idle) or "none"},
    )


def only_the_past(found: Honesty) -> dg.AssetCheckResult:
    """Counts, fitted parts and features of the test requests are the same without what became known later."""
    changed = sorted(found.changed.items(), key=lambda one: (-one[1], one[0]))
    shown = ", ".join(f"{name} ({share:.1%} of rows)" for name, share in changed)
    return dg.AssetCheckResult(
        passed=not changed,
        check_name="examples_know_only_the_past",
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "others without the future": shown or "none",
            "what to do": "run `segue run train` where Segue was updated since the run began; else look "
            "for what the named ones read from the days after the cut",
        },
    )


def not_filtered(found: Honesty) -> dg.AssetCheckResult:
    """The history was not reduced to tracks with a least number of listens before it was cut: rare tracks
    would then be sure to come again, and features that count listens would tell which."""
    if found.filtered is None:
        return dg.AssetCheckResult(
            passed=True,
            check_name="history_was_not_filtered_first",
            severity=dg.AssetCheckSeverity.WARN,
        )
    filtered = found.filtered
    return dg.AssetCheckResult(
        passed=False,
        check_name="history_was_not_filtered_first",
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "least listens of a track": filtered.least,
            "tracks with fewer before the cut": filtered.below,
            "they come more often than their past says by": round(filtered.excess, 2),
            "features that tell them": ", ".join(sorted(found.counting)) or "none",
        },
    )
