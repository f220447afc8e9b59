"""What a listener did a second ago counts in the next answer."""

import pytest


def tracks(answer):
    """Track ids of an answer."""
    return [track["track_id"] for track in answer["tracks"]]


@pytest.mark.parametrize("surface", ["home", "now-playing"])
def test_a_track_skipped_a_second_ago_is_not_offered_again(client, clock, heard, surface):
    first = tracks(client.ask(surface, user_id="u1", k=100))
    client.tell(heard("a", "u1", first[0], ms=2_000))
    clock.later(seconds=1)
    assert tracks(client.ask(surface, user_id="u1", k=100)) == first[1:]


def test_what_was_heard_to_the_end_is_still_offered(client, clock, heard):
    first = tracks(client.ask(user_id="u1", k=1))[0]
    client.tell(heard("a", "u1", first))
    clock.later(seconds=1)
    assert first in tracks(client.ask(user_id="u1", k=100))


def test_somebody_elses_skip_changes_nothing(client, clock, heard):
    first = tracks(client.ask(user_id="u1", k=5))
    client.tell(heard("a", "u2", first[0], ms=2_000))
    clock.later(seconds=1)
    assert tracks(client.ask(user_id="u1", k=5)) == first


def test_a_new_listeners_third_request_is_already_personal(client, clock, heard):
    sources = {name for track in client.ask(user_id="new")["tracks"] for name in track["sources"]}
    assert sources == {"popularity"}
    client.tell(heard("a", "new", "t30"))
    clock.later(seconds=1)
    client.ask(user_id="new")
    client.tell(heard("b", "new", "t31"))
    clock.later(seconds=1)
    third = client.ask(user_id="new", k=100)["tracks"]
    assert {"t32", "t33"} <= {
        track["track_id"] for track in third if "recent_walk" in track["sources"]
    }


def test_events_are_accepted_once_and_judged_one_by_one(client, heard):
    batch = (heard("a", "u1", "t1"), {"kind": "listen", "listen_id": "b"}, {"kind": "dance"})
    first = client.tell(*batch)
    assert (first["accepted"], first["already_known"]) == (1, 0)
    assert [one["index"] for one in first["rejected"]] == [1, 2]
    assert client.tell(*batch)["already_known"] == 1


def test_the_running_day_is_read_before_the_first_answer(start, clock, heard, world):
    start().tell(heard("a", "u1", "t1"))
    restarted = start()
    # What was read already is still known when its file is gone.
    for segment in world.settings.journal.glob("day=*/*.jsonl"):
        segment.unlink()
    clock.later(seconds=1)
    taste = restarted.get("/v1/users/u1/taste").json()
    assert [listen["track_id"] for listen in taste["today"]] == ["t1"]


def test_events_of_another_worker_count_too(start, clock, heard):
    one, other = start(), start()
    first = tracks(one.ask(user_id="u1", k=1))[0]
    other.tell(heard("a", "u1", first, ms=2_000))
    clock.later(seconds=1)
    assert first not in tracks(one.ask(user_id="u1", k=100))
