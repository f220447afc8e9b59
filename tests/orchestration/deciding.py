"""What a training leaves for the registry, and the two assets that decide on it."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pytest

from ml.evaluation.metrics import Lists, Truth
from ml.evaluation.splits import Windows
from ml.evaluation.table import comparison_rows, to_arrow, to_markdown
from ml.files import replace_table
from ml.ranking.judging import RANKER
from ml.ranking.run import TrainingRun, begin_run
from ml.ranking.training import Sampling, TrainingPlan
from ml.registry.bundle import BundleFacts, write_bundle
from ml.registry.evidence import Evidence, Invariant, SurfaceEvidence, write_evidence
from ml.registry.policy import Invariants
from orchestration.defs.registry.assets import champion, promotion_decision
from orchestration.resources import RESOURCES
from orchestration.settings import Settings, child_environment, prepare_process

FIRST_TEST_DAY = date(2026, 3, 9)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables without a row: making them takes seconds, a copy none."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("tables") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def home(tables: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home without a model that this process is prepared for until the test ends."""
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    prepare_process(settings)
    shutil.copy(tables, settings.home / "mlflow")
    return settings


def bundle(home: Settings, seed: int, as_of: date) -> str:
    """A bundle with one file; its seed makes its version."""
    facts = BundleFacts(as_of.isoformat(), seed, "0.1.0", {"home": ("age",)}, {}, {}, {})

    def write(folder: Path) -> None:
        (folder / "numbers.npy").write_bytes(b"123")

    return write_bundle(home.bundles, write, facts)


def evidence(version: str, as_of: date, ndcg: float) -> Evidence:
    """Forty listeners, one request each, all with the same score; popularity scores 0.1."""
    keys = tuple(f"r{number}" for number in range(40))
    scores = SurfaceEvidence(
        keys, np.arange(40, dtype=np.int32), np.full(40, ndcg), np.full(40, 0.1)
    )
    held = {name: Invariant(True, "held") for name in Invariants.model_fields}
    return Evidence(version, as_of.isoformat(), {"home": scores}, held)


def training(home: Settings, as_of: date, challenger: Evidence, rival: Evidence | None) -> None:
    """What a training leaves for the registry: evidence, and a comparison of one request."""
    days = [as_of - timedelta(days=back) for back in (3, 2, 1)]
    plan = TrainingPlan(as_of, Windows(*[(day,) for day in days]), 7, Sampling())
    run: TrainingRun = begin_run(home.training, plan)
    write_evidence(run.evaluation / "challenger.parquet", challenger)
    if rival is not None:
        write_evidence(run.evaluation / "champion.parquet", rival)
    one = np.zeros(1, dtype=np.int32)
    found = Lists(one, one, one + 1)
    truth = Truth(one, one, np.ones(1, dtype=np.int8), 1)
    rows = comparison_rows("home", {RANKER: found}, truth, one, reference=RANKER, seed=7)
    replace_table(run.evaluation / "comparison.parquet", to_arrow(rows))
    (run.evaluation / "comparison.md").write_text(to_markdown(rows))


def decided() -> dg.ExecuteInProcessResult:
    """Run both assets, as `train` ends."""
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [promotion_decision, champion],
            resources=RESOURCES,
            instance=instance,
            raise_on_error=False,
        )


def first_champion(home: Settings) -> str:
    """A home with a first champion, trained a week before the test day."""
    as_of = FIRST_TEST_DAY - timedelta(days=7)
    version = bundle(home, 1, as_of)
    training(home, as_of, evidence(version, as_of, 0.5), None)
    assert decided().success
    return version


def materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    events = result.get_asset_materialization_events()
    return {event.asset_key.to_user_string() for event in events}
