"""A home with a report that asks for a decision, and the form that gives it."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from monitoring.areas import ReportTarget, Statistic, Verdict
from monitoring.reports import write_report
from orchestration.resources import RESOURCES, RegistryResource
from orchestration.review_job import OP, review_job
from orchestration.settings import Settings, child_environment, prepare_process

DAY = date(2026, 3, 10)
AT = datetime(2026, 3, 11, 9, tzinfo=UTC)
AREA = "score_drift"
NAME = f"{DAY}/{AREA}"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the tables of MLflow and Dagster: making them takes seconds, a copy none."""
    from mlflow import MlflowClient

    settings = Settings(tmp_path_factory.mktemp("empty") / "home")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in child_environment(settings).items():
            patch.setenv(name, value)
        prepare_process(settings)
        MlflowClient(settings.mlflow_uri).search_experiments()
        with dg.DagsterInstance.get() as instance:
            instance.get_runs(limit=1)
    return settings.home


@pytest.fixture
def home(empty: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with one report that asks for a decision."""
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    shutil.copytree(empty, settings.home)
    report(settings, "m1")
    return settings


@pytest.fixture
def instance(home: Settings) -> Iterator[dg.DagsterInstance]:
    """The home's own: the training that a review starts opens it too."""
    with dg.DagsterInstance.get() as found:
        yield found


def report(home: Settings, version: str, area: str = AREA) -> None:
    """A report about a version that asks for a decision."""
    statistic = Statistic("shift", 2.0, 1.0, area, Verdict.ACT, "the scores moved", 2.0, 1.0)
    write_report(area, DAY, None, [statistic], ReportTarget(home.reports, None, version))


def served(home: Settings, *seeds: int) -> list[str]:
    """Versions that served one after the other; the report is about the last."""
    from ml.registry.bundle import BundleFacts, write_bundle

    registry, versions = RegistryResource().open(), []
    for seed in seeds:
        facts = BundleFacts("2026-03-01", seed, "0.1.0", {"home": ("age",)}, {}, {}, {})

        def write(folder: Path) -> None:
            (folder / "numbers.npy").write_bytes(b"123")

        version = write_bundle(home.bundles, write, facts)
        registry.log_run(version, {"seed": seed}, {}, {})
        registry.promote(version, "passed the gate", AT)
        versions.append(version)
    report(home, versions[-1])
    return versions


def submitted(
    instance: dg.DagsterInstance, decision: str, note: str = "it moved", **other: Any
) -> dg.ExecuteInProcessResult:
    """The job as the form starts it."""
    form = {
        "day": DAY.isoformat(),
        "area": AREA,
        "decision": decision,
        "note": note,
        "reviewer": "ada",
        **other,
    }
    return review_job.execute_in_process(
        run_config={"ops": {OP: {"config": form}}},
        resources={name: RESOURCES[name] for name in ("home", "registry")},
        instance=instance,
        raise_on_error=False,
    )


def said(result: dg.ExecuteInProcessResult) -> str:
    from orchestration.notify import failure_text

    return failure_text(result.all_events)
