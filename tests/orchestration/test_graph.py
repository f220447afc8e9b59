"""The graph's keys, edges, jobs and schedules stand in graph.txt; a change of them is deliberate."""

from pathlib import Path

import pytest

from orchestration.definitions import defs

GRAPH = Path(__file__).with_name("graph.txt")


def described() -> str:
    """The graph as text, a line an asset, an edge, a job, a schedule and a sensor."""
    definitions = defs()
    graph = definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        lines.append(f"asset {key.to_user_string()} [{node.group_name}]")
        lines += [f"  <- {parent.to_user_string()}" for parent in sorted(node.parent_keys)]
    for job in sorted(definitions.jobs, key=lambda one: one.name):
        keys = definitions.resolve_job_def(job.name).asset_layer.selected_asset_keys
        lines.append(f"job {job.name}: {len(keys)} assets")
    # The rhythm of `daily` is the home's (test_live_homes.py), read when its module is loaded.
    rhythms = {one.name: one.cron_schedule for one in definitions.schedules}
    rhythms["daily"] = "in the rhythm of the home"
    lines += sorted(f"schedule {name} {rhythm}" for name, rhythm in rhythms.items())
    lines += sorted(f"sensor {one.name}" for one in definitions.sensors)
    return "\n".join(lines) + "\n"


def test_the_graph_is_the_one_written_down(request: pytest.FixtureRequest) -> None:
    found = described()
    if request.config.getoption("--update-graph"):
        GRAPH.write_text(found)
    assert found == GRAPH.read_text()


def test_every_asset_has_a_group_a_description_and_an_owner() -> None:
    graph = defs().resolve_asset_graph()
    bare = [
        key.to_user_string()
        for key in graph.get_all_asset_keys()
        if not (graph.get(key).group_name and graph.get(key).description and graph.get(key).owners)
    ]
    assert bare == []


def test_no_dependency_is_a_misspelt_key() -> None:
    """A key that nothing makes would become a silent external asset."""
    graph = defs().resolve_asset_graph()
    external = {
        key.to_user_string()
        for key in graph.get_all_asset_keys()
        if not graph.get(key).is_materializable
    }
    assert external == {"serving/lists_in_force"}
