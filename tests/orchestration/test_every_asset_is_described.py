"""What a new user reads in the UI: every asset and job says what it is, whose, and of which kind."""

import re

import dagster as dg
import pytest

from orchestration.definitions import defs
from orchestration.keys import MONITORING, OWNER

_SHORTEST = 30


@pytest.fixture(scope="module")
def graph() -> dg.Definitions:
    return defs()


def lacking(graph: dg.Definitions) -> dict[str, list[str]]:
    """By asset, what its page in the UI would leave empty."""
    assets = graph.resolve_asset_graph()
    found = {}
    for key in sorted(assets.get_all_asset_keys()):
        node = assets.get(key)
        missing = [
            name
            for name, held in (
                ("group", node.group_name),
                ("description", len(node.description or "") >= _SHORTEST),
                ("owner", OWNER in node.owners),
                ("kinds", node.kinds),
            )
            if not held
        ]
        if missing:
            found[key.to_user_string()] = missing
    return found


def test_every_asset_has_a_description_an_owner_and_kinds(graph: dg.Definitions) -> None:
    assert lacking(graph) == {}


def test_an_asset_without_them_is_named() -> None:
    @dg.asset(key=["raw", "bare"])
    def bare() -> None:
        """No owner and no kind."""

    found = lacking(dg.Definitions(assets=[bare]))
    assert found == {"raw/bare": ["description", "owner", "kinds"]}


def test_every_job_schedule_and_sensor_says_what_it_does(graph: dg.Definitions) -> None:
    jobs = [one for one in graph.jobs if one.name]
    named = [*jobs, *graph.schedules, *graph.sensors]
    assert {one.name: bool(one.description) for one in named} == {one.name: True for one in named}
    assert {"daily", "train", "bootstrap", "review"} <= {one.name for one in jobs}


def test_a_monitoring_asset_asks_its_question_and_says_that_a_person_reviews(
    graph: dg.Definitions,
) -> None:
    assets = graph.resolve_asset_graph()
    for key in MONITORING.values():
        assert re.search(r"\? .*a person reviews", assets.get(key).description)
        assert assets.get(key).tags["domain"] == "monitoring"
