"""MLflow keeps runs, versions and the champion, and leaves nothing in the working directory."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ml.registry.models import ALIAS, MODEL, ModelRegistry, Promotion

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A working directory that must stay empty."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield
    assert list(folder.iterdir()) == []


def open_registry(home: Path) -> ModelRegistry:
    return ModelRegistry(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables without a row: making them takes seconds, a copy none."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("tables") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def registry(tables: Path, tmp_path: Path) -> ModelRegistry:
    shutil.copy(tables, tmp_path)
    return open_registry(tmp_path)


def log(registry: ModelRegistry, version: str) -> str:
    return registry.log_run(
        version,
        {"as_of": "2026-01-01", "seed": 7, "learning_rate": 0.1},
        {"home/ndcg_at_10": 0.25},
        {"decision.md": f"**Promote**: {version}"},
    )


def test_before_the_first_promotion_there_is_no_champion(registry: ModelRegistry) -> None:
    log(registry, "aaa")
    assert registry.champion() is None
    assert registry.history() == []


def test_the_first_promotion_sets_the_champion(registry: ModelRegistry) -> None:
    log(registry, "aaa")
    registry.promote("aaa", "passed the gate against popularity", NOON)
    assert registry.champion() == "aaa"
    found = registry._client.get_model_version_by_alias(MODEL, ALIAS)
    assert (str(found.version), found.tags["bundle"]) == ("1", "aaa")


def test_a_second_promotion_moves_the_alias_and_history_keeps_both(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    log(registry, "aaa")
    registry.promote("aaa", "passed the gate against popularity", NOON)
    log(registry, "bbb")
    registry.promote("bbb", "passed the gate against aaa", NOON + timedelta(days=7))
    again = open_registry(tmp_path)
    assert again.champion() == "bbb"
    assert again.history() == [
        Promotion("aaa", "2026-01-02T12:00:00+00:00", "passed the gate against popularity"),
        Promotion("bbb", "2026-01-09T12:00:00+00:00", "passed the gate against aaa"),
    ]


def test_a_model_that_returns_stands_twice_in_the_history(registry: ModelRegistry) -> None:
    for version in ("aaa", "bbb"):
        log(registry, version)
        registry.promote(version, f"{version} passed", NOON)
    registry.promote("aaa", "rolled back: bbb skips", NOON + timedelta(days=1))
    assert registry.champion() == "aaa"
    told = [(one.version, one.reason) for one in registry.history()]
    assert told == [
        ("aaa", "aaa passed"),
        ("bbb", "bbb passed"),
        ("aaa", "rolled back: bbb skips"),
    ]


def test_promoting_the_champion_again_changes_nothing(registry: ModelRegistry) -> None:
    log(registry, "aaa")
    registry.promote("aaa", "first", NOON)
    registry.promote("aaa", "second", NOON + timedelta(days=1))
    assert [one.reason for one in registry.history()] == ["first"]


@pytest.mark.parametrize("written", [("reason",), ("reason", "promoted")])
def test_a_promotion_killed_before_its_alias_is_recorded_once(
    registry: ModelRegistry, written: tuple[str, ...]
) -> None:
    log(registry, "aaa")
    tags = {"reason": "passed", "promoted": NOON.isoformat()}
    for name in written:
        registry._client.set_model_version_tag(MODEL, "1", f"{name}-000001", tags[name])
    registry.promote("aaa", "passed", NOON)
    assert registry.champion() == "aaa"
    assert registry.history() == [Promotion("aaa", NOON.isoformat(), "passed")]


def test_a_promotion_killed_before_its_alias_has_not_served(registry: ModelRegistry) -> None:
    for version in ("aaa", "bbb"):
        log(registry, version)
    registry.promote("aaa", "passed", NOON)
    for name, value in {"reason": "passed", "promoted": NOON.isoformat()}.items():
        registry._client.set_model_version_tag(MODEL, "2", f"{name}-000002", value)
    assert [one.version for one in registry.history()] == ["aaa", "bbb"]
    assert [one.version for one in registry.served()] == ["aaa"]
    registry.promote("bbb", "passed", NOON)
    assert [one.version for one in registry.served()] == ["aaa", "bbb"]


def test_a_bundle_that_was_never_logged_cannot_be_promoted(registry: ModelRegistry) -> None:
    with pytest.raises(KeyError, match="zzz is not registered"):
        registry.promote("zzz", "no run made it", NOON)
    assert registry.champion() is None


def test_a_run_holds_parameters_metrics_and_documents(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    run = registry._client.get_run(log(registry, "aaa"))
    assert run.data.params == {"as_of": "2026-01-01", "seed": "7", "learning_rate": "0.1"}
    assert run.data.metrics == {"home/ndcg_at_10": 0.25}
    assert run.info.status == "FINISHED"
    [document] = (tmp_path / "artifacts").rglob("decision.md")
    assert document.read_text() == "**Promote**: aaa"


def test_the_same_bundle_logged_again_keeps_its_first_run(registry: ModelRegistry) -> None:
    first = log(registry, "aaa")
    assert log(registry, "aaa") == first
    assert len(registry._client.search_model_versions(f"name = '{MODEL}'")) == 1


def test_a_run_that_a_kill_left_without_a_version_is_taken_up(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    registry.champion()
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    left = client.create_run("1", tags={"bundle": "aaa"})
    client.log_param(left.info.run_id, "seed", 7)
    assert log(registry, "aaa") == left.info.run_id
    [run] = client.search_runs(["1"])
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"home/ndcg_at_10": 0.25})
    assert log(registry, "bbb") != left.info.run_id
