"""Killed at any moment and run again, a life holds what a life never killed holds."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.lake.store import Lake
from ml.registry.pointer import read_pointer, write_pointer
from ml.registry.records import append_record, read_records
from orchestration.settings import Settings
from tests.benchmarks.killed_compare import Facts, differences, facts
from tests.benchmarks.killed_steps import PHASES

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def whole(harmed: dict[str, Any]) -> Facts:
    return facts(Path(harmed["home"]))


@pytest.fixture
def home(harmed: dict[str, Any], tmp_path: Path) -> Settings:
    """A copy of the life that met no kill."""
    return Settings(Path(shutil.copytree(harmed["home"], tmp_path / "home")))


def test_every_kill_heals(harmed: dict[str, Any]) -> None:
    differing = {one["step"]: one["differing"] for one in harmed["kills"] if one["differing"]}
    assert differing == {}


def test_every_phase_was_killed(harmed: dict[str, Any]) -> None:
    assert {one["phase"] for one in harmed["kills"]} == set(PHASES)
    assert len(harmed["kills"]) >= 12


def test_an_equal_home_differs_in_nothing(home: Settings, whole: Facts) -> None:
    assert differences(facts(home.home), whole) == []
    assert {"features.users", "marts.outcomes", "monitoring.data_quality"} <= whole.tables.keys()
    assert whole.told["champion.json"] == whole.told["champion"]


def row_changed(home: Settings) -> str:
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("update features.users set valid_from = valid_from + 1 where rowid = 3")
    return "features.users: other values of valid_from"


def row_gone(home: Settings) -> str:
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("delete from intermediate.listens where rowid = 3")
    return "intermediate.listens: "


def float_changed(home: Settings) -> str:
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("update monitoring.data_quality set value = value + 1e-6")
    return "monitoring.data_quality: other values of value"


def lake_file_gone(home: Settings) -> str:
    lake = Lake(home.home)
    [path] = lake.files("listens", lake.days("listens")[0])
    path.unlink()
    return f"{path.relative_to(home.home)}: missing"


def bundle_changed(home: Settings) -> str:
    path = next(home.bundles.glob("*/manifest.json"))
    path.write_text(path.read_text() + " ")
    return f"{path.relative_to(home.home)}: another content"


def half_file_read(home: Settings) -> str:
    path = home.recommendations / "day=2025-03-12" / "part.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"x": [1]}), path)
    return f"{path.relative_to(home.home)}: extra"


def other_champion(home: Settings) -> str:
    pointer = read_pointer(home.champion_pointer)
    assert pointer is not None
    write_pointer(home.champion_pointer, "another", pointer.since)
    return "champion.json: another instead of"


def decision_twice(home: Settings) -> str:
    append_record(home.decisions, read_records(home.decisions)[0])
    return "decisions: "


def other_verdict(home: Settings) -> str:
    path = next(home.reports.glob("day=*/data_quality.json"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "verdict": "act"}))
    return f"{path.relative_to(home.home)}: another content"


@pytest.mark.parametrize(
    "change",
    [
        row_changed,
        row_gone,
        float_changed,
        lake_file_gone,
        bundle_changed,
        half_file_read,
        other_champion,
        decision_twice,
        other_verdict,
    ],
)
def test_a_change_is_seen(home: Settings, whole: Facts, change: Callable[[Settings], str]) -> None:
    expected = change(home)
    found = differences(facts(home.home), whole)
    assert any(line.startswith(expected) for line in found), found
