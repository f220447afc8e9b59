"""The listening room's page, and what it asks for beyond lists and events."""

import json
import re
import tomllib
from base64 import b64encode
from dataclasses import replace
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from ml.ranking.features import FAMILIES
from ml.serving.service.room import page
from ml.serving.service.room_schemas import ExplainAnswer, ListenersAnswer

ROOT = Path(__file__).resolve().parents[4]
PARTS = sorted(
    path for path in Path(page.__file__).parent.iterdir() if path.is_file() and path.suffix != ".py"
)


def inside(html, tag):
    """The text of the only element of a tag."""
    (found,) = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", html, re.DOTALL)
    return found


def digest(text):
    """As a content security policy names it."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def changed_home(client, **changes):
    """Let the service answer Home by another surface model."""
    served = client.service.served()
    surfaces = dict(served.recommender.surfaces)
    surfaces["home"] = replace(surfaces["home"], **changes)
    recommender = replace(served.recommender, surfaces=surfaces)
    client.service.keeper.current = replace(served, recommender=recommender)


def explain(client, track, asked, status=200, surface="home"):
    """What the service says about a track of a request's answer."""
    body = {"surface": surface, "request": asked, "track_id": track}
    found = client.post("/v1/explain", json=body)
    assert found.status_code == status, found.text
    return found.json()


def test_the_page_is_whole_and_may_run_its_own_program_only(client):
    found = client.get("/")
    assert found.headers["content-type"].startswith("text/html")
    policy = found.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert f"script-src {digest(inside(found.text, 'script'))};" in policy
    assert f"style-src {digest(inside(found.text, 'style'))};" in policy


def test_nothing_of_the_page_comes_from_elsewhere():
    html = page.room()[0].decode()
    assert re.findall(r"https?:|//[a-z]|@import|url\(|\bsrc=", html) == []


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.name)
def test_no_part_writes_markup_from_data(path):
    banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|Function\("
    assert re.findall(banned, path.read_text()) == []


def test_an_installed_package_holds_every_part_of_the_page():
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = setup["package-data"]["ml.serving.service.room"]
    assert [
        path.name for path in PARTS if not any(fnmatch(path.name, one) for one in patterns)
    ] == []
    assert {path.suffix for path in PARTS} == {".css", ".html", ".js"}


def test_the_page_is_open_where_data_needs_a_token(start):
    client = start(token="secret")
    assert client.get("/").status_code == 200
    assert [client.get(path).status_code for path in ("/v1/users", "/v1/model")] == [401, 401]


def test_the_page_counts_in_the_rate(start):
    client = start(rate=1.0)
    assert [client.get("/").status_code for _ in range(2)] == [200, 429]


def test_listeners_are_offered_from_the_busiest_to_the_one_who_streamed_least(client):
    found = ListenersAnswer.model_validate(client.get("/v1/users?k=4").json())
    recent = [user.recent_streams for user in found.users]
    everybody = client.get("/v1/users?k=100").json()["users"]
    assert (found.known, len(recent), len(everybody)) == (12, 4, 12)
    assert recent == sorted(recent, reverse=True)
    assert {recent[0], recent[-1]} == {
        everybody[0]["recent_streams"],
        everybody[-1]["recent_streams"],
    }


@pytest.mark.parametrize(
    ("prefix", "ids"), [("u1", ["u1", "u10", "u11"]), ("u11", ["u11"]), ("nobody", [])]
)
def test_listeners_are_found_by_how_their_ids_begin(client, prefix, ids):
    found = client.get("/v1/users", params={"prefix": prefix, "k": 3}).json()["users"]
    assert [user["user_id"] for user in found] == ids


def test_a_track_says_how_long_it_is_where_that_is_known(client):
    assert client.ask(user_id="u1", k=1)["tracks"][0]["duration_ms"] == 200_000
    served = client.service.served()
    state = served.recommender.state
    unknown = replace(state.catalogue, duration_ms=np.full(80, np.nan, np.float32))
    recommender = replace(served.recommender, state=replace(state, catalogue=unknown))
    client.service.keeper.current = replace(served, recommender=recommender)
    assert client.ask(user_id="u1", k=1)["tracks"][0]["duration_ms"] is None


@pytest.mark.parametrize(("surface", "path"), [("home", "home"), ("now_playing", "now-playing")])
def test_base_and_contributions_make_the_score_that_was_shown(client, surface, path):
    asked = {"user_id": "u1", "k": 5}
    if surface == "now_playing":
        asked["session_track_ids"] = ["t5", "t6"]
    answer = client.ask(path, **asked)
    shown = answer["tracks"][2]
    told = ExplainAnswer.model_validate(
        explain(client, shown["track_id"], {**asked, "at": answer["at"]}, surface=surface)
    )
    assert (told.verdict, told.rank, told.score) == ("shown", 3, shown["score"])
    added = [feature.contribution for feature in told.features]
    assert told.base + sum(added) == pytest.approx(told.score, abs=1e-5)
    families = {one.family: one.contribution for one in told.families}
    assert told.base + sum(families.values()) == pytest.approx(told.score, abs=1e-5)
    assert set(families) <= set(FAMILIES.values())
    assert [abs(one) for one in added] == sorted((abs(one) for one in added), reverse=True)


def test_sources_come_by_their_own_ranks_and_the_silent_ones_are_named(client):
    answer = client.ask(user_id="u1", k=5)
    shown = answer["tracks"][0]
    told = explain(client, shown["track_id"], {"user_id": "u1", "k": 5, "at": answer["at"]})
    ranks = [one["rank"] for one in told["sources"]]
    assert ranks == sorted(ranks)
    assert {one["source"] for one in told["sources"]} == set(shown["sources"])
    generators = client.get("/v1/model").json()["surfaces"]["home"]["generators"]
    assert sorted([*shown["sources"], *told["silent"]]) == sorted(generators)
    values = {one["name"]: one["value"] for one in told["features"]}
    assert values["source_count"] == len(shown["sources"])


def test_a_candidate_below_the_last_place_says_so(client):
    longer = client.ask(user_id="u1", k=10)["tracks"]
    told = explain(client, longer[9]["track_id"], {"user_id": "u1", "k": 3})
    assert (told["verdict"], told["rank"], told["score"]) == ("below", None, longer[9]["score"])


def test_a_track_that_a_rule_left_out_says_so(client):
    changed_home(
        client,
        rules=replace(client.service.served().recommender.surfaces["home"].rules, artist_cap=1),
    )
    shown = {track["track_id"] for track in client.ask(user_id="u1", k=100)["tracks"]}
    first = client.ask(user_id="u1", k=1)["tracks"][0]["track_id"]
    # Two tracks an artist: t6 and t7 are by the same.
    other = f"t{int(first[1:]) ^ 1}"
    assert other not in shown
    assert explain(client, other, {"user_id": "u1", "k": 100})["verdict"] == "rules"


def test_a_track_that_was_skipped_today_says_so_unless_asked_of_before(client, clock, heard):
    answer = client.ask(user_id="u1", k=3)
    first = answer["tracks"][0]["track_id"]
    clock.later(seconds=1)
    client.tell(heard("a", "u1", first, ms=2_000))
    clock.later(seconds=1)
    assert explain(client, first, {"user_id": "u1", "k": 3})["verdict"] == "skipped"
    before = explain(client, first, {"user_id": "u1", "k": 3, "at": answer["at"]})
    assert (before["verdict"], before["rank"]) == ("shown", 1)


def test_a_track_that_nobody_proposed_says_so(client):
    blocked = {"user_id": "u1", "k": 3, "filters": {"blocked_tracks": ["t6"]}}
    told = explain(client, "t6", blocked)
    assert (told["verdict"], told["score"], told["sources"]) == ("no_candidate", None, [])
    assert (told["families"], told["features"], told["title"]) == ([], [], "Title 6")


def test_where_a_generator_answers_values_are_told_and_no_contributions(client):
    changed_home(client, ranker=None)
    first = client.ask(user_id="u1", k=1)["tracks"][0]["track_id"]
    told = explain(client, first, {"user_id": "u1", "k": 1})
    assert (told["verdict"], told["base"], told["families"]) == ("shown", None, [])
    assert told["features"]
    assert {one["contribution"] for one in told["features"]} == {None}


def test_to_explain_shows_nothing_so_it_logs_nothing(client, world):
    explain(client, "t6", {"user_id": "u1"})
    client.until_written()
    assert list(world.settings.journal.glob("day=*/*.jsonl")) == []
    client.ask(user_id="u1", k=1)
    client.until_written()
    (journal,) = world.settings.journal.glob("day=*/*.jsonl")
    assert [json.loads(line)["user_id"] for line in journal.read_text().splitlines()] == ["u1"]


@pytest.mark.parametrize(
    ("track", "asked", "status", "error"),
    [
        ("unknown", {}, 404, "unknown_track"),
        ("t1", {"at": "2026-03-09T23:00:00Z"}, 409, "no_state"),
        ("t1", {"k": 0}, 422, "invalid"),
    ],
)
def test_what_cannot_be_explained_is_refused_by_name(client, track, asked, status, error):
    assert explain(client, track, asked, status)["error"] == error
