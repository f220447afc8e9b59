"""The challenger beside the champion on the same requests.

Belongs here: the comparison asset. Does not belong here: gathering evidence (ml.ranking.rivals), invariants
(ml.registry.invariants) or the decision (ml.registry.gate).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg

from ml.ranking.model import RankerParameters
from ml.ranking.rivals import challenger_evidence, champion_evidence, grounds_of
from ml.ranking.run import TrainingRun, current_run
from ml.registry.bundle import verify_bundle
from ml.registry.evidence import Evidence, Invariant, write_evidence
from ml.registry.from_run import LIST_LENGTH, build_bundle, surface_models
from ml.registry.ground import Ground
from ml.registry.invariants import logged, measured
from ml.registry.lake_content import lake_content
from ml.registry.policy import read_policy
from ml.serving.recommender import Recommender
from ml.serving.saved import load_recommender
from ml.state.publish import load_state, publish_state, state_folder
from ml.state.read import read_state
from ml.state.state import State
from orchestration.groups import in_group
from orchestration.keys import (
    CANDIDATE_MODELS,
    CHAMPION_COMPARISON,
    EVALUATION_REPORT,
    HOME_RANKER,
    NOW_PLAYING_RANKER,
    STATE,
    TRACK_VECTORS,
    WAREHOUSE_POOL,
)
from orchestration.resources import HomeResource, RegistryResource, WarehouseResource
from orchestration.settings import Settings

_MODELS = (HOME_RANKER, NOW_PLAYING_RANKER)
THREADS = RankerParameters().threads


@dg.asset(
    key=CHAMPION_COMPARISON,
    **in_group("evaluation"),
    description=(
        "The challenger's bundle, and both models on every test request: NDCG@10, what it may not cost, "
        "slices, and the challenger's invariants. What the gate weighs."
    ),
    kinds={"parquet"},
    deps=[EVALUATION_REPORT, CANDIDATE_MODELS, TRACK_VECTORS, *_MODELS, *STATE],
    pool=WAREHOUSE_POOL,
)
def champion_comparison(
    home: HomeResource, warehouse: WarehouseResource, registry: RegistryResource
):
    """Build the challenger's bundle and gather evidence on it and on the champion."""
    run, settings = current_run(home.settings.training), home.settings
    champion = registry.open().champion()
    against = run.evaluation / "champion.parquet"
    against.unlink(missing_ok=True)
    with warehouse.reader() as connection:
        state = read_state(connection, run.plan.as_of)
        version = challenger_bundle(home, run, state)
        grounds = grounds_of(connection, run)
    evidence = challenger_evidence(run, grounds, version, THREADS)
    found = invariants_of(settings, run, state, grounds, version)
    write_evidence(run.evaluation / "challenger.parquet", replace(evidence, invariants=found))
    if champion is not None and champion != version:
        write_evidence(against, rival_evidence(settings.bundles / champion, grounds))
    return dg.MaterializeResult(
        metadata={
            "challenger": version,
            "champion": champion or "none yet",
            **{name.replace("_", " "): one.text for name, one in found.items()},
        }
    )


def challenger_bundle(home: HomeResource, run: TrainingRun, state: State) -> str:
    """Publish the state that the model is first used on, write the bundle and return its version."""
    settings = home.settings
    publish_state(state, settings.states)
    return build_bundle(
        settings.bundles,
        run,
        state,
        active_days=home.record.active_days,
        encoder=settings.encoder,
        lake=lake_content(home.lake, run.plan.as_of),
    )


def invariants_of(
    settings: Settings,
    run: TrainingRun,
    state: State,
    grounds: Mapping[str, Ground],
    version: str,
) -> dict[str, Invariant]:
    """The invariants of the model as it was built against the same read back from disk."""
    asked = read_policy(settings.promotion_policy).invariants
    bundle = settings.bundles / version
    published = state_folder(settings.states, state.valid_on - timedelta(days=1))
    return measured(
        bundle,
        Recommender(version, state, surface_models(run, state)),
        load_recommender(bundle, version, load_state(published)),
        logged(grounds, asked.online_matches_batch.requests),
        asked,
        LIST_LENGTH,
    )


def rival_evidence(bundle: Path, grounds: Mapping[str, Ground]) -> Evidence:
    """The champion on the same requests, its bundle verified first."""
    return champion_evidence(grounds, bundle, verify_bundle(bundle).facts.as_of)
