"""Answers say what they hold, by what they were made and where that stands."""

import json
from dataclasses import replace

import pytest

from ml.ranking.features import FAMILIES
from ml.serving.service.schemas import Answer, ModelAnswer, SimilarAnswer, TasteAnswer


def logged(world):
    """The journal's rows."""
    files = sorted(world.settings.journal.glob("day=*/*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


@pytest.mark.parametrize("surface", ["home", "now-playing"])
def test_an_answer_carries_its_model_its_day_and_for_each_track_why(client, world, surface):
    answer = Answer.model_validate(client.ask(surface, user_id="u1", k=5))
    assert (answer.model_version, answer.state_day.isoformat()) == (world.first, "2026-03-09")
    assert (answer.answered_by, answer.fallback) == ("ranker", None)
    assert [track.rank for track in answer.tracks] == [1, 2, 3, 4, 5]
    scores = [track.score for track in answer.tracks]
    assert scores == sorted(scores, reverse=True)
    assert all(track.sources and track.reasons and track.propensity for track in answer.tracks)


def test_every_track_shown_is_an_impression_in_the_journal(client, world):
    answer = client.ask(user_id="u1", k=3)
    client.until_written()
    rows = [row for row in logged(world) if row["request_id"] == answer["request_id"]]
    shown = [(track["rank"], track["track_id"], track["score"]) for track in answer["tracks"]]
    assert [(row["position"], row["track_id"], row["score"]) for row in rows] == shown
    assert {(row["kind"], row["user_id"], row["surface"]) for row in rows} == {
        ("impression", "u1", "home")
    }
    assert {(row["propensity"], row["model_version"], row["arm"]) for row in rows} == {
        (1.0, world.first, "champion")
    }


def test_an_anonymous_answer_is_logged_too(client, world):
    client.ask(k=2)
    client.until_written()
    assert [row["user_id"] for row in logged(world)] == ["anonymous"] * 2


def test_unknown_listeners_and_tracks_get_a_list(client):
    assert client.ask(user_id="nobody", k=4)["tracks"]
    assert client.ask("now-playing", session_track_ids=["no such track"], k=4)["tracks"]


def test_contributions_are_named_by_family_when_asked_for(client):
    (track,) = client.ask(user_id="u1", k=1, contributions=True)["tracks"]
    assert set(track["contributions"]) <= set(FAMILIES.values())
    assert client.ask(user_id="u1", k=1)["tracks"][0]["contributions"] is None


def test_strangers_are_answered_by_whom_validation_chose_and_that_is_said(client):
    served = client.service.served()
    surfaces = dict(served.recommender.surfaces)
    surfaces["home"] = replace(surfaces["home"], strangers="popularity")
    recommender = replace(served.recommender, surfaces=surfaces)
    client.service.keeper.current = replace(served, recommender=recommender)
    assert client.ask(user_id="nobody", contributions=True)["answered_by"] == "popularity"
    assert client.ask(user_id="u1")["answered_by"] == "ranker"


def test_blocked_tracks_and_artists_are_left_out(client):
    first, second = client.ask(user_id="u1", k=2)["tracks"]
    artist = f"a{int(second['track_id'][1:]) // 2}"
    filters = {"blocked_tracks": [first["track_id"], "unknown"], "blocked_artists": [artist]}
    found = client.ask(user_id="u1", k=100, filters=filters)["tracks"]
    assert found
    assert first["track_id"] not in {track["track_id"] for track in found}
    assert second["artist"] not in {track["artist"] for track in found}


def test_a_time_before_the_state_is_refused_by_name(client):
    answer = client.ask(user_id="u1", at="2026-03-09T23:00:00Z", status=409)
    assert answer["error"] == "no_state"
    assert client.ask(user_id="u1", at="2026-03-10T00:00:00+00:00")["tracks"]


def test_the_next_day_is_answered_by_the_state_decayed_to_it(client, clock):
    clock.later(days=1)
    answer = client.ask(user_id="u1", k=3)
    assert answer["at"].startswith("2026-03-11")
    assert answer["state_day"] == "2026-03-09"


def test_a_replayed_home_lives_on_the_day_after_its_last(start, clock):
    client = start(replayed=True)
    clock.later(days=200)
    assert client.ask(user_id="u1", k=1)["at"].startswith("2026-03-10T08:15")


def test_similar_tracks_are_the_nearest_without_the_track_itself(client):
    answer = SimilarAnswer.model_validate(client.ask("similar", track_id="t1", k=4))
    scores = [track.score for track in answer.tracks]
    assert scores == sorted(scores, reverse=True)
    assert "t1" not in {track.track_id for track in answer.tracks}
    blocked = {"blocked_tracks": [answer.tracks[0].track_id]}
    again = client.ask("similar", track_id="t1", k=3, filters=blocked)["tracks"]
    assert [track["track_id"] for track in again] == [one.track_id for one in answer.tracks[1:]]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"track_id": "unknown"}, 404, "unknown_track"),
        ({"text": "quiet songs"}, 409, "no_encoder"),
        ({}, 422, "invalid"),
        ({"track_id": "t1", "text": "both"}, 422, "invalid"),
    ],
)
def test_what_similar_cannot_answer_it_says(client, body, status, error):
    assert client.ask("similar", status=status, **body)["error"] == error


def test_a_taste_is_what_the_state_holds_and_what_today_brought(client, clock, heard):
    client.tell(heard("a", "u1", "t70"))
    clock.later(seconds=1)
    taste = TasteAnswer.model_validate(client.get("/v1/users/u1/taste").json())
    assert taste.known
    assert taste.habits["streams"] == pytest.approx(sum(track.streams for track in taste.tracks))
    assert {track.track_id for track in taste.tracks} == {f"t{number}" for number in range(5, 15)}
    recent = [artist.recent_streams for artist in taste.artists]
    assert recent == sorted(recent, reverse=True)
    assert [one.track_id for one in taste.today] == ["t70"]


def test_an_unknown_listener_has_no_taste_yet(client):
    taste = TasteAnswer.model_validate(client.get("/v1/users/nobody/taste").json())
    assert (taste.known, taste.tracks, taste.artists, taste.today) == (False, [], [], [])


def test_the_model_says_what_it_is(client, world):
    model = ModelAnswer.model_validate(client.get("/v1/model").json())
    assert (model.model_version, model.tracks, model.listeners) == (world.first, 80, 12)
    assert model.surfaces["home"].answered_by == "ranker"


def test_metrics_count_stages_candidates_and_the_model(client, world):
    client.ask(user_id="u1", k=3)
    page = client.get("/metrics").text
    assert 'segue_stage_seconds_count{stage="candidates",surface="home"} 1.0' in page
    assert 'segue_candidates_total{source="popularity",surface="home"}' in page
    assert f'segue_model{{state_day="2026-03-09",version="{world.first}"}} 1.0' in page
    assert 'segue_requests_total{path="/v1/home",status="200"} 1.0' in page
