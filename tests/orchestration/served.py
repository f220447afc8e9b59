"""A home with models that served, made of small bundles, shared by tests of the commands on them."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ml.registry.bundle import BundleFacts, write_bundle
from ml.registry.models import ModelRegistry, Promotion
from ml.registry.pointer import make_champion
from orchestration.resources import RegistryResource
from orchestration.settings import Settings, child_environment, prepare_process

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def mlflow_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables without a row: making them takes seconds, a copy none."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("tables") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def prepared(
    mlflow_tables: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """A home without a model that this process is prepared for until the test ends."""
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    prepare_process(settings)
    shutil.copy(mlflow_tables, settings.home / "mlflow")
    return settings


def registered(home: Settings, seed: int) -> str:
    """A bundle with one file, registered; its seed makes its version."""
    facts = BundleFacts("2026-03-01", seed, "0.1.0", {"home": ("age",)}, {}, {}, {})

    def write(folder: Path) -> None:
        (folder / "numbers.npy").write_bytes(b"123")

    version = write_bundle(home.bundles, write, facts)
    registry().log_run(version, {"seed": seed}, {}, {})
    return version


def registry() -> ModelRegistry:
    return RegistryResource().open()


def served(home: Settings, number: int) -> list[str]:
    """Versions promoted one after the other, a week apart."""
    versions: list[str] = []
    for seed in range(1, number + 1):
        version = registered(home, seed)
        at = NOON + timedelta(days=7 * (seed - 1))
        before = versions[-1] if versions else None
        why = f"passed the gate against {before or 'popularity'}: NDCG@10 home +0.0{seed}00"
        promotion = Promotion(version, at.isoformat(), why, before)
        make_champion(home.champion_pointer, registry(), promotion)
        versions.append(version)
    return versions
