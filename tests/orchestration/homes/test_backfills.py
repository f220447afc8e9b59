"""A backfill that would leave days without state is refused whole, and says what to launch instead."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.orchestration.homes.conftest import child

pytestmark = pytest.mark.e2e
# The history ends on 2025-03-12.
ALL = "staging,intermediate,features,marts"
SHORT = "2025-03-06:2025-03-08"
NAMED = "2025-03-06:2025-03-12"


@pytest.fixture(scope="module")
def said(bootstrapped: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What came of: every model over too short a range, the state alone over it, over the named range."""
    home = Path(shutil.copytree(bootstrapped, tmp_path_factory.mktemp("backfill") / "home"))
    ranges = (f"{ALL}:{SHORT}", f"features:{SHORT}", f"features:{NAMED}")
    return child(home, "backfill", *ranges)


@pytest.mark.parametrize("launched", [1, 2], ids=["every model", "state alone"])
def test_a_range_short_of_the_latest_day_is_refused(
    said: list[dict[str, Any]], launched: int
) -> None:
    refused = said[launched]
    assert not refused["success"]
    assert "built up to 2025-03-13 (excluded)" in refused["text"]
    assert "[2025-03-06, 2025-03-09)" in refused["text"]


@pytest.mark.parametrize("launched", [1, 2], ids=["every model", "state alone"])
def test_the_refusal_comes_before_anything_is_deleted(
    said: list[dict[str, Any]], launched: int
) -> None:
    assert said[launched]["tables"] == said[0]["tables"]
    # The simulated world knows no friendships.
    assert [name for name, (rows, _) in said[0]["tables"].items() if rows == 0] == [
        "intermediate.friendships"
    ]


def test_the_refusal_names_the_range_to_launch(said: list[dict[str, Any]]) -> None:
    words = "launch the partitions from 2025-03-06 through the last one before 2025-03-13"
    assert words in said[1]["text"]
    assert words in said[2]["text"]


def test_the_named_range_is_built(said: list[dict[str, Any]]) -> None:
    assert said[3]["success"], said[3]["text"]
    rows = {table: count for table, (count, _) in said[3]["tables"].items()}
    assert rows == {table: count for table, (count, _) in said[0]["tables"].items()}
