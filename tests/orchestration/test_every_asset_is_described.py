"""What a new user reads in the UI: every asset and job says what it is, whose, and of which kind."""

import re

import dagster as dg
import pytest

from orchestration.definitions import defs
from orchestration.groups import GROUPS, PURPOSE
from orchestration.keys import MONITORING, OWNER

_SHORTEST = 30
# Words that only Segue's own code knows: a description is read by people who have not seen it.
_CODE = re.compile(r"\b(stg|int|feat)_\w+|\w+\(\)|\w+\.py\b")


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
                ("tags", {"domain", "stage"} <= node.tags.keys()),
                ("what the group is for", node.metadata.get(PURPOSE)),
            )
            if not held
        ]
        if missing:
            found[key.to_user_string()] = missing
    return found


def test_every_asset_has_what_its_page_shows(graph: dg.Definitions) -> None:
    assert lacking(graph) == {}


def test_an_asset_without_them_is_named() -> None:
    @dg.asset(key=["raw", "bare"])
    def bare() -> None:
        """No owner and no kind."""

    found = lacking(dg.Definitions(assets=[bare]))
    missing = ["description", "owner", "kinds", "tags", "what the group is for"]
    assert found == {"raw/bare": missing}


def test_every_group_is_described_once_and_has_assets(graph: dg.Definitions) -> None:
    assets = graph.resolve_asset_graph()
    assert {assets.get(key).group_name for key in assets.get_all_asset_keys()} == set(GROUPS)
    purposes = [one.purpose for one in GROUPS.values()]
    assert len(set(purposes)) == len(GROUPS)
    assert all(_SHORTEST <= len(one) <= 80 for one in purposes)


def test_a_job_makes_what_its_groups_stage_says(graph: dg.Definitions) -> None:
    assets = graph.resolve_asset_graph()
    for stage in {one.stage for one in GROUPS.values()}:
        made = graph.resolve_job_def(stage).asset_layer.selected_asset_keys
        assert {assets.get(key).tags["stage"] for key in made} == {stage}


def test_descriptions_speak_of_music_and_models_not_of_code(graph: dg.Definitions) -> None:
    assets = graph.resolve_asset_graph()
    said = {
        key.to_user_string(): assets.get(key).description for key in assets.get_all_asset_keys()
    }
    assert {key: text for key, text in said.items() if _CODE.search(text or "")} == {}
    assert _CODE.search("see stg_listens")
    assert _CODE.search("made by decide()")


def test_every_table_of_the_warehouse_shows_its_columns_and_what_they_mean(
    graph: dg.Definitions,
) -> None:
    assets = graph.resolve_asset_graph()
    tables = [key for key in assets.get_all_asset_keys() if "dbt" in assets.get(key).kinds]
    assert len(tables) == 16
    for key in tables:
        columns = assets.get(key).metadata["dagster/column_schema"].columns
        assert columns, key
        assert [one.name for one in columns if not one.description] == [], key


def test_every_check_says_what_it_asks(graph: dg.Definitions) -> None:
    assets = graph.resolve_asset_graph()
    words = {key: assets.get_check_spec(key).description or "" for key in assets.asset_check_keys}
    assert [key for key, said in words.items() if len(said) < _SHORTEST] == []
    # A data test's name holds its arguments; its description says them in order.
    [told] = [
        said for key, said in words.items() if key.name == "unique_key_daily_listening_known_on"
    ]
    assert told == "known_on together name one row, and none of them is missing."


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
