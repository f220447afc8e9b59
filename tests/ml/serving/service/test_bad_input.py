"""Nothing that is sent brings the service down or shows its inside."""

import pytest

HUGE = 10**30


@pytest.mark.parametrize(
    "body",
    [
        {"k": 0},
        {"k": 101},
        {"k": "10"},
        {"k": 2.5},
        {"k": True},
        {"k": HUGE},
        {"user_id": ""},
        {"user_id": " "},
        {"user_id": 7},
        {"user_id": "x" * 257},
        {"filters": {"explicit": "no"}},
        {"filters": {"blocked_artists": "a1"}},
        {"filters": None},
        {"at": "yesterday"},
        {"at": "2026-03-10"},
        {"at": 1_773_000_000},
        {"at": "2026-03-10T08:00:00"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": "9999-12-31T23:59:59-12:00"},
        {"surface": "home"},
        [],
        "home",
        None,
    ],
)
def test_wrong_fields_are_named_and_refused(client, body):
    found = client.post("/v1/home", json=body)
    assert found.status_code == 422
    assert found.json()["details"][0]["field"].startswith("body")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"k": NaN}',
        b'{"k": Infinity}',
        b'{"user_id": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"user_id": "\xff"}',
        b"[" * 10_000,
        b'{"k": 1' + b"0" * 5_000 + b"}",
    ],
)
def test_what_is_no_json_is_refused(client, content):
    found = client.post("/v1/home", content=content, headers={"content-type": "application/json"})
    assert found.status_code == 422
    assert found.json()["error"] == "invalid"


@pytest.mark.parametrize(
    "user", ["ü", "名前", "\u202e", "\x00", "🎧", "a" * 256, "'; drop table users;--", "%2F.."]
)
def test_any_text_may_name_a_listener(client, user):
    assert client.ask(user_id=user, k=2)["user_id"] == user


def test_a_huge_session_is_answered_and_a_larger_one_refused(client):
    session = [f"t{number % 80}" for number in range(1_000)]
    assert client.ask("now-playing", session_track_ids=session, k=5)["tracks"]
    client.ask("now-playing", session_track_ids=[*session, "t1"], status=422)


def test_an_empty_session_falls_back_on_the_listener_or_popularity(client):
    assert client.ask("now-playing", session_track_ids=[], k=5)["tracks"]
    assert client.ask("now-playing", user_id="u1", session_track_ids=[], k=5)["tracks"]


def test_when_everything_is_blocked_the_list_is_empty_and_no_error(client):
    blocked = {"blocked_tracks": [f"t{number}" for number in range(80)]}
    assert client.ask(user_id="u1", filters=blocked)["tracks"] == []


@pytest.mark.parametrize(
    "events", [[], [1], ["a"], [{}] * 1_001, {"kind": "listen"}, None, [{"kind": ["listen"]}]]
)
def test_bad_batches_of_events_are_refused_or_judged(client, events):
    found = client.post("/v1/events", json={"events": events})
    rejected = found.status_code == 202 and found.json()["accepted"] == 0
    assert found.status_code == 422 or rejected


def test_a_listener_may_not_be_named_beyond_bounds(client):
    assert client.get(f"/v1/users/{'x' * 300}/taste").status_code == 422
    assert client.get("/v1/users/%00%F0%9F%8E%A7/taste").status_code == 200
