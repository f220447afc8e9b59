"""The gate's decision and the champion.

Belongs here: recording a decision and acting on it. Does not belong here: the rule (ml.registry.gate).
"""

import json

import dagster as dg
import pyarrow as pa

from ml.ranking.run import TrainingRun, current_run
from ml.ranking.verdicts import headline
from ml.registry.bundle import Manifest, verify_bundle
from ml.registry.evidence import read_evidence
from ml.registry.gate import Decision, GatePolicy, decide
from ml.registry.models import Promotion
from orchestration.keys import (
    CHAMPION,
    CHAMPION_COMPARISON,
    EVALUATION_REPORT,
    OWNER,
    PROMOTION_DECISION,
)
from orchestration.readable import table_markdown
from orchestration.resources import HomeResource, RegistryResource
from orchestration.storing import replace_text


def decision_of(run: TrainingRun, serving: str | None = None) -> Decision:
    """The gate's decision on a run's stored evidence; a challenger that is `serving` meets itself."""
    challenger = read_evidence(run.evaluation / "challenger.parquet")
    against = run.evaluation / "champion.parquet"
    champion = read_evidence(against) if against.is_file() else None
    if challenger.version == serving:
        champion = challenger
    first_test_day = run.plan.days("test")[0].isoformat()
    return decide(challenger, champion, GatePolicy(), first_test_day)


def parameters_of(manifest: Manifest) -> dict[str, str | int | float]:
    """What MLflow shows of a bundle."""
    facts = manifest.facts
    stated = {"as_of": facts.as_of, "seed": facts.seed, "code_version": facts.code_version}
    return {**stated, **facts.data, **facts.settings}


@dg.asset(
    key=PROMOTION_DECISION,
    group_name="registry",
    description=(
        "Whether the challenger may serve, with every rule, figure and threshold. Not promoted is a "
        "normal outcome: the old champion goes on."
    ),
    owners=[OWNER],
    kinds={"mlflow"},
    deps=[CHAMPION_COMPARISON, EVALUATION_REPORT],
)
def promotion_decision(home: HomeResource, registry: RegistryResource):
    """Decide, and record the decision with the run in MLflow."""
    run = current_run(home.settings.training)
    challenger = read_evidence(run.evaluation / "challenger.parquet").version
    models = registry.open()
    decision = decision_of(run, models.champion())
    text = json.dumps(decision.to_dict(), indent=1, sort_keys=True)
    replace_text(run.evaluation / "decision.json", text)
    manifest = verify_bundle(home.settings.bundles / challenger)
    documents = {
        "decision.md": decision.to_markdown(),
        "decision.json": text,
        "comparison.md": (run.evaluation / "comparison.md").read_text(),
    }
    run_id = models.log_run(challenger, parameters_of(manifest), headline(run), documents)
    return dg.MaterializeResult(
        metadata={
            "promote": decision.promote,
            "decision": dg.MetadataValue.md(decision.to_markdown()),
            "mlflow run": run_id,
        }
    )


@dg.asset(
    key=CHAMPION,
    group_name="registry",
    description="The model that serves: the bundle behind MLflow's alias champion.",
    owners=[OWNER],
    kinds={"mlflow"},
    deps=[PROMOTION_DECISION],
    output_required=False,
    check_specs=[dg.AssetCheckSpec("bundle_verifies", asset=CHAMPION)],
)
def champion(context: dg.AssetExecutionContext, home: HomeResource, registry: RegistryResource):
    """Promote the challenger where the decision says so; otherwise nothing changes."""
    run, models = current_run(home.settings.training), registry.open()
    decision = json.loads((run.evaluation / "decision.json").read_text())
    before = models.champion()
    if decision["promote"] and before != decision["challenger"]:
        manifest = verify_bundle(home.settings.bundles / decision["challenger"])
        reason = f"passed the gate against {before or 'popularity'}"
        models.promote(manifest.version, reason, home.now())
    serving = models.champion()
    manifest = verify_bundle(home.settings.bundles / serving) if serving else None
    if manifest is not None and decision["promote"]:
        history = history_markdown(models.history())
        yield dg.MaterializeResult(
            metadata={
                "version": manifest.version,
                "as_of": manifest.facts.as_of,
                "bundle": dg.MetadataValue.path(str(home.settings.bundles / manifest.version)),
                "history": dg.MetadataValue.md(history),
            }
        )
    else:
        context.log.info(f"not promoted; {serving or 'no model'} serves")
    yield dg.AssetCheckResult(
        passed=True,
        check_name="bundle_verifies",
        metadata={"files verified": len(manifest.files) if manifest else 0},
    )


def history_markdown(history: list[Promotion]) -> str:
    """Promotions, oldest first."""
    columns = {
        name: [getattr(one, name) for one in history] for name in ("version", "at", "reason")
    }
    return table_markdown(pa.table(columns))
