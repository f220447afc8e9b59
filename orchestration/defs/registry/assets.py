"""The gate's decision and the champion.

Belongs here: recording a decision and acting on it. Does not belong here: the rule (ml.registry.gate) or
the records' forms (recording, beside this module).
"""

import json

import dagster as dg

from ml.files import replace_text
from ml.ranking.run import TrainingRun, current_run
from ml.ranking.verdicts import headline
from ml.registry.bundle import Manifest, verify_bundle
from ml.registry.decision import Decision
from ml.registry.evidence import read_evidence
from ml.registry.gate import decide
from ml.registry.models import ModelRegistry, Promotion
from ml.registry.pointer import heal_pointer, make_champion
from ml.registry.policy import Policy, read_policy
from ml.registry.records import heal_records
from orchestration.defs.registry.recording import (
    decision_record,
    of_a_dead_run,
    record_once,
    tabulate,
    training_of,
)
from orchestration.groups import in_group
from orchestration.keys import (
    CHAMPION,
    CHAMPION_COMPARISON,
    EVALUATION_REPORT,
    PROMOTION_DECISION,
    WAREHOUSE_POOL,
)
from orchestration.report_links import evaluation_page, report_url
from orchestration.resources import HomeResource, RegistryResource, WarehouseResource
from orchestration.settings import Settings

_INVARIANTS = "invariants_hold"


def decision_of(run: TrainingRun, policy: Policy, serving: str | None = None) -> Decision:
    """The gate's decision on a run's stored evidence; a challenger that is `serving` meets itself."""
    challenger = read_evidence(run.evaluation / "challenger.parquet")
    against = run.evaluation / "champion.parquet"
    champion = read_evidence(against) if against.is_file() else None
    if challenger.version == serving:
        champion = challenger
    first_test_day = run.plan.days("test")[0].isoformat()
    return decide(challenger, champion, policy, first_test_day)


def decided(
    instance: dg.DagsterInstance, run: TrainingRun, settings: Settings, serving: str | None
) -> Decision:
    """The gate's decision on a run; of one that was killed after its promotion, the decision it came to: its
    challenger serves already, and would meet itself."""
    decision = decision_of(run, read_policy(settings.promotion_policy), serving)
    stands = of_a_dead_run(instance, settings.decisions) if decision.challenger == serving else None
    if stands is not None and stands["promote"] and stands["challenger"] == serving:
        return Decision.from_dict(stands)
    return decision


def parameters_of(manifest: Manifest) -> dict[str, str | int | float]:
    """What MLflow shows of a bundle."""
    facts = manifest.facts
    stated = {"as_of": facts.as_of, "seed": facts.seed, "code_version": facts.code_version}
    return {**stated, **facts.data, **facts.settings}


def invariants_hold(decision: Decision) -> dg.AssetCheckResult:
    """A model that breaks an invariant is a fault to mend, not a weak model: the run stops here."""
    broken = [f"{one.rule}: {one.text}" for one in decision.broken]
    return dg.AssetCheckResult(
        passed=not broken,
        check_name=_INVARIANTS,
        metadata={"broken": "; ".join(broken) or "none"},
    )


@dg.asset(
    key=PROMOTION_DECISION,
    **in_group("registry"),
    description=(
        "Whether the challenger may serve, with every rule, figure, interval and threshold. Not promoted "
        "is a normal outcome: the old champion goes on. Rows in registry.decisions."
    ),
    kinds={"mlflow"},
    deps=[CHAMPION_COMPARISON, EVALUATION_REPORT],
    pool=WAREHOUSE_POOL,
    check_specs=[
        dg.AssetCheckSpec(
            _INVARIANTS,
            asset=PROMOTION_DECISION,
            blocking=True,
            description="The stored model gives the lists and scores of the one that was judged, full lists, "
            "no track twice, and online what batch gives. A broken one stops the run.",
        )
    ],
)
def promotion_decision(
    context: dg.AssetExecutionContext,
    home: HomeResource,
    registry: RegistryResource,
    warehouse: WarehouseResource,
):
    """Decide, and record the decision in the home, in MLflow and in the warehouse."""
    run, settings, models = current_run(home.settings.training), home.settings, registry.open()
    decision = decided(context.instance, run, settings, models.champion())
    manifest = verify_bundle(settings.bundles / decision.challenger)
    text = json.dumps(decision.to_dict(), indent=1, sort_keys=True)
    documents = {
        "decision.md": decision.to_markdown(),
        "decision.json": text,
        "comparison.md": (run.evaluation / "comparison.md").read_text(),
    }
    run_id = models.log_run(manifest.version, parameters_of(manifest), headline(run), documents)
    training = training_of(context.run)
    record = decision_record(decision, manifest.facts.as_of, home.now(), training)
    record_once(context.instance, settings.decisions, record)
    with warehouse.writer() as connection:
        tabulate(connection, settings.decisions)
    replace_text(run.evaluation / "decision.json", text)
    metadata = {
        "promote": decision.promote,
        "summary": decision.summary,
        "asked by": training.asked_by,
        "decision": dg.MetadataValue.md(decision.to_markdown()),
        "evaluation": evaluation_link(settings, manifest),
        "mlflow run": run_id,
    }
    return dg.MaterializeResult(metadata=metadata, check_results=[invariants_hold(decision)])


@dg.asset(
    key=CHAMPION,
    **in_group("registry"),
    description=(
        "The model that serves: the bundle behind MLflow's alias champion. Why it was promoted stands in "
        "registry/promotion_decision, how good it is on the evaluation's page; `segue rollback` takes one "
        "step back."
    ),
    kinds={"mlflow"},
    deps=[PROMOTION_DECISION],
    output_required=False,
    check_specs=[
        dg.AssetCheckSpec(
            "bundle_verifies",
            asset=CHAMPION,
            description="Every file of the bundle has the hash that its manifest states.",
        )
    ],
)
def champion(context: dg.AssetExecutionContext, home: HomeResource, registry: RegistryResource):
    """Promote the challenger where the decision says so; otherwise nothing changes."""
    run, models, settings = current_run(home.settings.training), registry.open(), home.settings
    decision = json.loads((run.evaluation / "decision.json").read_text())
    if decision["promote"]:
        promote(home, models, decision, training_of(context.run).asked_by)
    heal_pointer(settings.champion_pointer, models)
    heal_records(settings.decisions, models)
    serving = models.champion()
    manifest = verify_bundle(settings.bundles / serving) if serving else None
    if manifest is not None and decision["promote"]:
        yield dg.MaterializeResult(metadata=described(home, manifest, models, decision["summary"]))
    else:
        context.log.info(f"not promoted; {serving or 'no model'} serves")
    yield dg.AssetCheckResult(
        passed=True,
        check_name="bundle_verifies",
        metadata={"files verified": len(manifest.files) if manifest else 0},
    )


def promote(
    home: HomeResource, models: ModelRegistry, decision: dict[str, str], asked_by: str
) -> None:
    """Let a verified challenger serve; one that serves already stays."""
    settings, before = home.settings, models.champion()
    if before == decision["challenger"]:
        return
    manifest = verify_bundle(settings.bundles / decision["challenger"])
    against = before or "popularity"
    why = f"passed the gate against {against}: {decision['summary']} (asked by: {asked_by})"
    chosen = Promotion(manifest.version, home.now().isoformat(), why, before)
    make_champion(settings.champion_pointer, models, chosen)


def described(
    home: HomeResource, manifest: Manifest, models: ModelRegistry, summary: str
) -> dict[str, object]:
    """The champion for the UI: which, since when, why, and what served before it."""
    return {
        "version": manifest.version,
        "as_of": manifest.facts.as_of,
        "why": summary,
        "decision": dg.MetadataValue.asset(PROMOTION_DECISION),
        "evaluation": evaluation_link(home.settings, manifest),
        "bundle": dg.MetadataValue.path(str(home.settings.bundles / manifest.version)),
        "history": dg.MetadataValue.md(history_markdown(models.served())),
    }


def evaluation_link(settings: Settings, manifest: Manifest) -> dg.UrlMetadataValue:
    """Where `segue ui` shows how good a model is."""
    return dg.MetadataValue.url(
        report_url(settings, evaluation_page(settings, manifest.facts.as_of))
    )


def history_markdown(history: list[Promotion]) -> str:
    """Promotions and steps back, the latest first; a list, since a table would not fit beside the page's
    other parts."""
    lines = [
        f"* `{one.version}` from {one.at[:16].replace('T', ' ')} UTC: {one.reason}"
        + (f" (by {one.by})" if one.by else "")
        for one in reversed(history)
    ]
    return "\n".join(lines)
