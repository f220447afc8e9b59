"""A full disk is told as such, harms nothing, and heals once there is room."""

from typing import Any

import pytest

pytestmark = pytest.mark.e2e
# What ran out of room, and the command that runs it again.
AGAIN = {
    "import": "segue import canonical ",
    "dbt": "segue run daily --day 2025-03-11",
    "bundle": "segue run train",
    "state": "segue run daily --day 2025-03-11",
    "report": "segue run daily --day 2025-03-11",
    "records of the run": "segue run daily --day 2025-03-11",
}


@pytest.fixture
def short(harmed: dict[str, Any]) -> dict[str, Any]:
    """Steps without room, each on a small disk of its own."""
    if harmed["unmountable"]:
        pytest.skip(harmed["unmountable"])
    return dict(harmed["disk"])


@pytest.mark.parametrize("name", AGAIN)
def test_it_says_which_disk_is_full_and_what_to_run_again(short: dict[str, Any], name: str) -> None:
    said = short[name]["said"]
    assert short[name]["code"] == 1, said
    assert f"expected room on the disk of {short[name]['place']}, found it full" in said
    assert "MB free of 67" in said
    assert f"make room and run `{AGAIN[name]}" in said


@pytest.mark.parametrize("name", AGAIN)
def test_what_stood_before_stands(short: dict[str, Any], name: str) -> None:
    assert short[name]["lost"] == []


@pytest.mark.parametrize("name", AGAIN)
def test_with_room_the_same_step_ends_as_if_there_had_been_room(
    short: dict[str, Any], name: str
) -> None:
    assert short[name]["again"] == ""
    assert short[name]["differing"] == []
