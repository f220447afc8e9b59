"""The model changes under the running service, and what is broken on the disk stays out of it."""

import shutil
import threading

import pytest

from ml.errors import SegueError
from ml.ranking.judging import RANKER
from ml.registry.bundle import BundleFacts, write_bundle
from ml.registry.pointer import write_pointer
from ml.serving.saved import load_recommender
from ml.serving.service.loading import champion
from ml.state.publish import load_state, publish_state


def look(client):
    """Two looks: a change is acted on when it was seen twice."""
    client.service.keeper.look()
    client.service.keeper.look()


@pytest.fixture
def still(start):
    """A service whose own watching never looks again: the test looks."""
    return start(watch_seconds=3_600.0)


def test_a_promotion_and_a_rollback_change_the_model(still, world):
    before = still.ask(user_id="u1", k=10)
    world.serve(world.second)
    look(still)
    promoted = still.ask(user_id="u1", k=10)
    assert promoted["model_version"] == world.second
    assert promoted["tracks"] != before["tracks"]
    world.serve(world.first)
    look(still)
    assert still.ask(user_id="u1", k=10)["tracks"] == before["tracks"]


def test_one_look_alone_changes_nothing(still, world):
    world.serve(world.second)
    still.service.keeper.look()
    assert still.ask()["model_version"] == world.first


def test_no_request_fails_or_is_mixed_while_models_change(start, world):
    client = start(capacity=64)
    expected = {}
    for version in (world.second, world.first):
        world.serve(version)
        look(client)
        expected[version] = client.ask(user_id="u1", k=10)["tracks"]
    seen, ended = set(), threading.Event()

    def promote():
        for version in [world.second, world.first] * 3:
            world.serve(version)
            look(client)
        ended.set()

    promoting = threading.Thread(target=promote)
    promoting.start()
    while not ended.is_set():
        answer = client.ask(user_id="u1", k=10)
        assert answer["tracks"] == expected[answer["model_version"]]
        seen.add(answer["model_version"])
    promoting.join()
    assert seen == {world.first, world.second}


def test_a_new_state_day_is_taken_up(still, world, clock):
    folder = world.settings.states / "day=2026-03-09"
    publish_state(load_state(folder).on(load_state(folder).valid_on.replace(day=11)), folder.parent)
    look(still)
    clock.later(days=1)
    assert still.ask(user_id="u1")["state_day"] == "2026-03-10"


def test_a_deleted_bundle_keeps_serving_from_memory_and_turns_not_ready(still, world):
    before = still.ask(user_id="u1", k=5)["tracks"]
    shutil.rmtree(world.settings.bundles / world.first)
    look(still)
    assert still.ask(user_id="u1", k=5)["tracks"] == before
    found = still.get("/ready")
    assert found.status_code == 503
    assert "manifest.json" in found.json()["problem"]
    assert still.get("/health").status_code == 200


def test_a_corrupted_bundle_is_named_and_once_whole_again_ready(still, world):
    path = world.settings.bundles / world.first / "home" / "rules.json"
    whole, before = path.read_text(), still.ask(user_id="u1", k=5)["tracks"]
    path.write_text("{}")
    look(still)
    assert "rules.json differs" in still.get("/ready").json()["problem"]
    assert still.ask(user_id="u1", k=5)["tracks"] == before
    path.write_text(whole)
    look(still)
    assert still.get("/ready").status_code == 200


def repacked(world, **changed):
    """The second bundle with other files in `home`, as another version of the code would write it."""
    bundles = world.settings.bundles

    def build(folder):
        shutil.copytree(bundles / world.second, folder, dirs_exist_ok=True)
        (folder / "manifest.json").unlink()
        for name, content in changed.items():
            (folder / "home" / f"{name}.json").write_text(content)

    return write_bundle(bundles, build, BundleFacts("2026-03-10", 3, "test", {}, {}, {}, {}))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rules", '{"blocked_artists": [], "novelty": 1}'),
        ("rules", "[]"),
        ("rules", '{"blocked_artists": null}'),
        ("leader", '{"name": "popularity"}'),
        ("strangers", "popularity"),
    ],
)
def test_a_whole_bundle_of_another_code_is_named_and_the_next_promotion_taken(
    start, world, name, content
):
    client = start()
    world.serve(repacked(world, **{name: content}))
    # watch_seconds is 0.02: bounded by the count of calls, each of some milliseconds.
    problems = (client.get("/ready").json()["problem"] for _ in range(5_000))
    assert f"home/{name}.json: expected" in next(one for one in problems if one is not None)
    assert client.ask(user_id="u1", k=1)["model_version"] == world.first
    world.serve(world.second)
    versions = (client.ask(k=1)["model_version"] for _ in range(2_000))
    assert world.second in versions
    assert client.get("/ready").status_code == 200


def test_rules_of_a_wrong_type_end_no_watch(still, world):
    world.serve(repacked(world, rules='{"artist_cap": "5", "blocked_artists": []}'))
    look(still)
    assert still.get("/ready").status_code == 503
    assert still.ask(user_id="u1")["model_version"] == world.first


def test_a_watch_that_ended_is_not_ready(client):
    assert client.get("/ready").status_code == 200
    client.service.keeper.stop()
    found = client.get("/ready")
    assert (found.status_code, "restart the service" in found.json()["problem"]) == (503, True)
    assert client.ask(user_id="u1")["tracks"]


def test_a_damaged_champion_pointer_keeps_the_model(still, world):
    world.settings.pointer.write_text("{")
    look(still)
    assert still.get("/ready").status_code == 503
    assert still.ask(user_id="u1")["model_version"] == world.first


def test_without_a_champion_it_starts_says_so_and_serves_once_there_is_one(start, world):
    world.settings.pointer.unlink()
    client = start(watch_seconds=3_600.0)
    refused = client.ask(status=503)
    assert (refused["error"], "segue run train" in refused["message"]) == ("not_ready", True)
    assert client.get("/v1/model").headers["retry-after"] == "5"
    world.serve(world.second)
    look(client)
    assert client.ask()["model_version"] == world.second


def test_a_bundle_from_before_strangers_were_told_apart_still_loads(world, state):
    folder = world.settings.bundles / world.first
    (folder / "home" / "strangers.json").unlink()
    recommender = load_recommender(folder, world.first, state)
    assert recommender.surfaces["home"].strangers == RANKER


def test_the_watch_looks_by_itself(client, world):
    world.serve(world.second)
    # watch_seconds is 0.02: bounded by the count of answers, each of some milliseconds.
    versions = (client.ask(k=1)["model_version"] for _ in range(2_000))
    assert world.second in versions


def test_no_pointer_is_an_error_that_names_the_mending_command(tmp_path):
    with pytest.raises(SegueError, match="segue run train"):
        champion(tmp_path / "champion.json")
    write_pointer(tmp_path / "champion.json", "abc", "2026-03-10T00:00:00+00:00")
    assert champion(tmp_path / "champion.json") == "abc"
