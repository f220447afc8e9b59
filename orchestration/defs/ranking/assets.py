"""Training examples and one ranker a surface.

Belongs here: the three ranking assets and their checks. Does not belong here: features or training
(ml.ranking).
"""

import dagster as dg
import pyarrow.compute as pc

from ml.ranking.examples import read_examples
from ml.ranking.model import Ranker
from ml.ranking.order import Choice
from ml.ranking.run import TrainingRun, current_run
from ml.ranking.steps import untrainable, write_examples, write_ranker
from ml.ranking.training import SPLITS
from ml.tables import RECOMMENDED_SURFACES
from orchestration.groups import in_group
from orchestration.keys import (
    CANDIDATE_MODELS,
    HOME_RANKER,
    LISTENS_MODEL,
    NOW_PLAYING_RANKER,
    STATE,
    TRACK_VECTORS,
    TRAINING_EXAMPLES,
    WAREHOUSE_POOL,
)
from orchestration.resources import HomeResource, WarehouseResource

_SHOWN_FEATURES = 15


@dg.asset(
    key=TRAINING_EXAMPLES,
    **in_group("ranking"),
    description=(
        "Candidates of past requests with features and grades, a table a surface and split; state, "
        "candidate models and vectors are those from before each label window."
    ),
    kinds={"parquet"},
    deps=[CANDIDATE_MODELS, TRACK_VECTORS, LISTENS_MODEL, *STATE],
    pool=WAREHOUSE_POOL,
    check_specs=[
        dg.AssetCheckSpec(
            "labels_follow_candidates",
            asset=TRAINING_EXAMPLES,
            description="No label day lies before the day on which its candidate models were fitted.",
        )
    ],
)
def training_examples(home: HomeResource, warehouse: WarehouseResource):
    """Write examples of both surfaces and the baselines' lists."""
    run = current_run(home.settings.training)
    with warehouse.reader() as connection:
        write_examples(connection, run)
    lines, rows = ["| surface | split | requests | rows | played |", "|" + " --- |" * 5], 0
    for surface in RECOMMENDED_SURFACES:
        for split in SPLITS:
            examples = read_examples(run.examples(surface, split))
            played = pc.sum(pc.greater(examples.rows["grade"], 0)).as_py() or 0
            size = len(examples.rows)
            lines.append(f"| {surface} | {split} | {len(examples.requests)} | {size} | {played} |")
            rows += size
    metadata = {"dagster/row_count": rows, "examples": dg.MetadataValue.md("\n".join(lines))}
    return dg.MaterializeResult(metadata=metadata, check_results=[labels_follow(run)])


def labels_follow(run: TrainingRun) -> dg.AssetCheckResult:
    """No label day lies before the day on which its candidate models were fitted."""
    early = []
    for surface in RECOMMENDED_SURFACES:
        for split in SPLITS:
            first = pc.min(read_examples(run.examples(surface, split)).requests["day"]).as_py()
            if first is not None and first < run.plan.cut(split):
                early.append(f"{surface} {split}: labels from {first}")
    return dg.AssetCheckResult(
        passed=not early,
        check_name="labels_follow_candidates",
        metadata={"too early": ", ".join(early) or "none"},
    )


def choice_markdown(choice: Choice) -> str:
    """NDCG@10 on validation by name, best first."""
    best = sorted(choice.ndcg.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"| {name} | {value:.4f} |" for name, value in best]
    return "\n".join(["| order | NDCG@10 on validation |", "| --- | --- |", *lines])


def size_and_gain(ranker: Ranker) -> dict[str, int | dg.MarkdownMetadataValue]:
    """How many features and trees a ranker has, and what its gain is owed to, most first."""
    gain = list(ranker.gain().items())[:_SHOWN_FEATURES]
    lines = [f"| {name} | {100 * share:.1f} % |" for name, share in gain]
    table = "\n".join(["| feature | share of gain |", "| --- | --- |", *lines])
    return {
        "features": len(ranker.names),
        "trees": ranker.booster.num_boosted_rounds(),
        "gain": dg.MetadataValue.md(table),
    }


def _ranker(surface: str, key: dg.AssetKey) -> dg.AssetsDefinition:
    title = surface.replace("_", " ").title()

    @dg.asset(
        key=key,
        **in_group("ranking"),
        description=(
            f"XGBoost rank:ndcg for {title}, stopped by NDCG@10 on the validation days; it serves where "
            "it is shown to be above the best single generator there."
        ),
        kinds={"xgboost"},
        deps=[TRAINING_EXAMPLES],
    )
    def ranker(home: HomeResource) -> dg.MaterializeResult:
        run = current_run(home.settings.training)
        trained, choice = write_ranker(run, surface, run.plan.ranker_parameters(surface))
        told = {
            "serves": choice.serves,
            "switched off on validation": ", ".join(choice.off) or "no generator",
            "validation": dg.MetadataValue.md(choice_markdown(choice)),
        }
        if trained is None:
            why = (
                untrainable(run, surface)
                or f"{choice.leader} is not shown to be worse on validation"
            )
            return dg.MaterializeResult(metadata={"trained": f"no: {why}", **told})
        return dg.MaterializeResult(metadata={"trained": "yes", **told, **size_and_gain(trained)})

    return ranker


home_ranker = _ranker("home", HOME_RANKER)
now_playing_ranker = _ranker("now_playing", NOW_PLAYING_RANKER)
