"""A day whose lake file is damaged before dbt reads it is refused by name, and heals when it is run again."""

from typing import Any

import pytest

pytestmark = pytest.mark.e2e


def test_the_run_names_the_file_and_what_brings_its_rows_back(harmed: dict[str, Any]) -> None:
    found = harmed["damaged"]
    assert found["code"] == 1
    assert found["file"].startswith("lake/listens/day=2025-03-11/")
    assert found["file"] in found["said"]
    assert "set aside whole in the quarantine" in found["said"]
    assert "`segue run daily`" in found["said"]


def test_received_and_built_again_nothing_but_the_kept_file_differs(harmed: dict[str, Any]) -> None:
    found = harmed["damaged"]
    assert found["again"] == [0, 0]
    [kept] = found["differing"]
    assert kept.startswith("quarantine/listens/files/2025-03-11-")
    assert kept.endswith(": extra")
