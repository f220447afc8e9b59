"""How good the new models are: against everything simpler, and against the champion.

Belongs here: the two evaluation assets. Does not belong here: metrics (ml.evaluation) or the decision
(ml.registry.gate).
"""

import dagster as dg

from ml.evaluation.table import to_markdown
from ml.ranking.model import RankerParameters
from ml.ranking.run import current_run
from ml.ranking.verdicts import (
    challenger_evidence,
    champion_evidence,
    evaluate,
    headline,
    judged_surfaces,
)
from ml.registry.bundle import verify_bundle
from ml.registry.evidence import write_evidence
from ml.registry.from_run import build_bundle
from ml.state.publish import publish_state
from ml.state.read import read_catalogue, read_state
from orchestration.keys import (
    CANDIDATE_MODELS,
    CHAMPION_COMPARISON,
    EVALUATION_REPORT,
    HOME_RANKER,
    NOW_PLAYING_RANKER,
    OWNER,
    STATE,
    TRACK_VECTORS,
    TRAINING_EXAMPLES,
    WAREHOUSE_POOL,
)
from orchestration.resources import HomeResource, RegistryResource, WarehouseResource

_MODELS = (HOME_RANKER, NOW_PLAYING_RANKER)
THREADS = RankerParameters().threads


@dg.asset(
    key=EVALUATION_REPORT,
    group_name="evaluation",
    description=(
        "Rankers, every single generator and the baselines on the same test requests: metrics per "
        "request, then per user, with 95 % bootstrap intervals over users."
    ),
    owners=[OWNER],
    kinds={"parquet"},
    deps=[TRAINING_EXAMPLES, *_MODELS],
    pool=WAREHOUSE_POOL,
)
def evaluation_report(home: HomeResource, warehouse: WarehouseResource):
    """Judge every model on the test days."""
    run = current_run(home.settings.training)
    with warehouse.reader() as connection:
        catalogue = read_catalogue(connection, run.plan.as_of)
    rows = evaluate(run, judged_surfaces(run, catalogue, THREADS))
    test = run.plan.days("test")
    return dg.MaterializeResult(
        metadata={
            "comparison": dg.MetadataValue.md(to_markdown(rows)),
            "test days": f"{test[0]} to {test[-1]}",
            "table": dg.MetadataValue.path(str(run.evaluation / "comparison.parquet")),
            **headline(run),
        }
    )


@dg.asset(
    key=CHAMPION_COMPARISON,
    group_name="evaluation",
    description=(
        "The challenger's bundle, and both models' NDCG@10 on every test request: what the gate weighs."
    ),
    owners=[OWNER],
    kinds={"parquet"},
    deps=[EVALUATION_REPORT, CANDIDATE_MODELS, TRACK_VECTORS, *_MODELS, *STATE],
    pool=WAREHOUSE_POOL,
)
def champion_comparison(
    home: HomeResource, warehouse: WarehouseResource, registry: RegistryResource
):
    """Build the challenger's bundle and gather evidence on it and on the champion."""
    run, settings = current_run(home.settings.training), home.settings
    parameters = RankerParameters(seed=run.plan.seed)
    champion = registry.open().champion()
    against = run.evaluation / "champion.parquet"
    against.unlink(missing_ok=True)
    with warehouse.reader() as connection:
        state = read_state(connection, run.plan.as_of)
        publish_state(state, settings.states)
        version = build_bundle(settings.bundles, run, state, parameters, home.record.active_days)
        judged = judged_surfaces(run, state.catalogue, THREADS)
        write_evidence(
            run.evaluation / "challenger.parquet", challenger_evidence(run, judged, version)
        )
        if champion is not None and champion != version:
            bundle = settings.bundles / champion
            facts = verify_bundle(bundle).facts
            write_evidence(against, champion_evidence(connection, run, judged, bundle, facts.as_of))
    return dg.MaterializeResult(
        metadata={"challenger": version, "champion": champion or "none yet"}
    )
