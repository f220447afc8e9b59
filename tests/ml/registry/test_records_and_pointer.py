"""Records are only ever added to; the pointer follows the registry and is never half a file."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ml.registry.models import ROLLED_BACK, ModelRegistry, Promotion
from ml.registry.pointer import Pointer, heal_pointer, make_champion, read_pointer, write_pointer
from ml.registry.records import append_record, heal_records, read_records
from tests.ml.registry.scores import decided, model, scores

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables without a row: making them takes seconds, a copy none."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("tables") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def registry(tables: Path, tmp_path: Path) -> ModelRegistry:
    """A registry with two registered bundles and no champion."""
    shutil.copy(tables, tmp_path)
    registry = ModelRegistry(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts")
    for version in ("aaa", "bbb"):
        registry.log_run(version, {}, {}, {})
    return registry


def promotion(version: str, days: int, against: str | None = None) -> Promotion:
    at = (NOON + timedelta(days=days)).isoformat()
    return Promotion(version, at, f"{version} passed", against)


def test_records_are_read_in_the_order_they_were_added(tmp_path: Path) -> None:
    path = tmp_path / "artifacts" / "decisions.jsonl"
    assert read_records(path) == []
    append_record(path, {"kind": "decision", "at": "1"})
    append_record(path, {"kind": "rollback", "at": "2", "note": 'a "quote"\nand a line'})
    assert [one["kind"] for one in read_records(path)] == ["decision", "rollback"]
    assert read_records(path)[1]["note"] == 'a "quote"\nand a line'


def test_a_line_cut_by_a_kill_is_passed_over_and_nothing_is_glued_to_it(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    append_record(path, {"kind": "decision", "at": "1"})
    with path.open("a") as file:
        file.write('{"kind": "rollb')
    append_record(path, {"kind": "promotion", "at": "3"})
    assert [one["at"] for one in read_records(path)] == ["1", "3"]


DECIDED = {"kind": "decision", "at": "2", **decided(model("new", home=scores(0.5))).to_dict()}


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A decision as the file holds it, without its end of line."""
    path = tmp_path_factory.mktemp("whole") / "decisions.jsonl"
    append_record(path, DECIDED)
    return path.read_bytes()[:-1]


@pytest.mark.parametrize("part", range(8))
def test_a_decision_cut_anywhere_is_passed_over(part: int, line: bytes, tmp_path: Path) -> None:
    """Rulings are inner objects: some cuts end in a brace."""
    cuts = range(1 + part, len(line), 8)
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(b'{"at": "1"}\n' + b"\n".join(line[:cut] for cut in cuts))
    assert read_records(path) == [{"at": "1"}]
    path.write_bytes(line)
    assert read_records(path) == [DECIDED]


def test_a_decision_of_several_rules_holds_cuts_that_end_in_a_brace(line: bytes) -> None:
    assert line[:-1].count(b"}") >= len(DECIDED["rulings"]) > 1


def test_a_promotion_killed_before_its_record_is_recorded_once(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    records = tmp_path / "decisions.jsonl"
    heal_records(records, registry)
    assert read_records(records) == []
    make_champion(tmp_path / "champion.json", registry, promotion("aaa", 0))
    heal_records(records, registry)
    heal_records(records, registry)
    assert read_records(records) == [{"kind": "promotion", **promotion("aaa", 0).to_dict()}]


def test_the_same_model_promoted_twice_has_two_records(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    records = tmp_path / "decisions.jsonl"
    for days, version in enumerate(("aaa", "bbb", "aaa")):
        make_champion(tmp_path / "champion.json", registry, promotion(version, days))
        heal_records(records, registry)
    assert [one["version"] for one in read_records(records)] == ["aaa", "bbb", "aaa"]


def test_the_pointer_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "artifacts" / "champion.json"
    write_pointer(path, "aaa", NOON.isoformat())
    assert read_pointer(path) == Pointer("aaa", "2026-01-02T12:00:00+00:00")
    assert [one.name for one in path.parent.iterdir()] == ["champion.json"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": "aaa"}'])
def test_a_damaged_pointer_is_none_at_all(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "champion.json"
    path.write_text(damage)
    assert read_pointer(path) is None
    assert read_pointer(tmp_path / "absent.json") is None


def test_a_promotion_moves_registry_and_pointer_and_tells_against_whom(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    path = tmp_path / "champion.json"
    make_champion(path, registry, promotion("aaa", 0))
    make_champion(path, registry, promotion("bbb", 7, "aaa"))
    assert registry.champion() == "bbb"
    assert read_pointer(path) == Pointer("bbb", "2026-01-09T12:00:00+00:00")
    assert [(one.version, one.against) for one in registry.history()] == [
        ("aaa", None),
        ("bbb", "aaa"),
    ]


def test_a_bundle_that_is_not_registered_leaves_the_pointer(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    path = tmp_path / "champion.json"
    make_champion(path, registry, promotion("aaa", 0))
    with pytest.raises(KeyError, match="zzz"):
        make_champion(path, registry, promotion("zzz", 1))
    assert read_pointer(path) == Pointer("aaa", NOON.isoformat())


def test_a_missing_or_late_pointer_is_healed_from_the_registry(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    path = tmp_path / "champion.json"
    assert heal_pointer(path, registry) is None
    make_champion(path, registry, promotion("aaa", 0))
    path.unlink()
    assert heal_pointer(path, registry) == Pointer("aaa", NOON.isoformat())
    registry.promote("bbb", "killed before its pointer", NOON + timedelta(days=1))
    assert heal_pointer(path, registry) == read_pointer(path)
    assert json.loads(path.read_text())["version"] == "bbb"


def test_a_pointer_without_a_champion_is_taken_away(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    path = tmp_path / "champion.json"
    write_pointer(path, "ghost", NOON.isoformat())
    assert heal_pointer(path, registry) is None
    assert not path.exists()


def test_a_step_back_is_told_from_a_promotion() -> None:
    assert Promotion("aaa", "1", f"{ROLLED_BACK} from bbb: skips").is_rollback
    assert not promotion("aaa", 0).is_rollback


def test_the_documents_of_a_model_decided_again_are_those_of_the_latest_decision(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    registry.log_run("ccc", {}, {}, {"decision.md": "not promoted"})
    registry.log_run("ccc", {}, {}, {"decision.md": "promoted"})
    [found] = (tmp_path / "artifacts").rglob("decision.md")
    assert found.read_text() == "promoted"


def test_the_champion_made_again_keeps_the_documents_of_its_promotion(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    registry.log_run("ccc", {}, {}, {"decision.md": "promoted"})
    registry.promote("ccc", "passed", NOON)
    registry.log_run("ccc", {}, {}, {"decision.md": "not promoted"})
    [found] = (tmp_path / "artifacts").rglob("decision.md")
    assert found.read_text() == "promoted"
