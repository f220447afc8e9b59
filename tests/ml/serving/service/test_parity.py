"""Answers over HTTP are those of batch: the same tracks, order and scores."""

import numpy as np
import pyarrow as pa
import pytest

from ml.policy.rules import apply_rules
from ml.serving.wishes import Wishes
from ml.state.requests import Asked, one_request, requests_from_table
from ml.tables import REQUESTS

SKIPPED, STREAMED = 5_000, 200_000


def asked(number):
    """A question: known, unknown and anonymous listeners, sessions from none to seven tracks."""
    rng = np.random.default_rng(number)
    user = [None, "nobody", *[f"u{one}" for one in range(12)]][rng.integers(14)]
    session = [f"t{one}" for one in rng.integers(0, 90, rng.integers(0, 8))]
    return user, session


def replay(client, clock, heard, surface, count):
    """(REQUESTS table with the listens of the day, answers in the same order)."""
    today: dict[str, list[tuple[str, bool]]] = {}
    rows: list[dict[str, object]] = []
    answers = []
    for number in range(count):
        user, session = asked(number)
        if surface == "home":
            session = []
        body = {"user_id": user, "k": 10}
        if session:
            body["session_track_ids"] = session
        answer = client.ask(surface.replace("_", "-"), **body)
        answers.append(answer)
        rows.append(
            {
                "request_id": answer["request_id"],
                "user_id": user,
                "surface": surface,
                "at": clock.now,
                "session_track_ids": session,
                "today_track_ids": [track for track, _ in today.get(user or "", [])],
                "today_skipped": [skip for _, skip in today.get(user or "", [])],
            }
        )
        if user is not None:
            skip = number % 2 == 0
            track = answer["tracks"][0]["track_id"]
            client.tell(heard(f"l{number}", user, track, SKIPPED if skip else STREAMED))
            today.setdefault(user, []).append((track, skip))
        clock.later(seconds=1)
    schema = REQUESTS.schema.append(pa.field("today_track_ids", pa.list_(pa.string())))
    schema = schema.append(pa.field("today_skipped", pa.list_(pa.bool_())))
    return pa.Table.from_pylist(rows, schema=schema), answers


@pytest.mark.parametrize("surface", ["home", "now_playing"])
def test_logged_requests_replayed_in_batch_give_the_same_lists(client, clock, heard, surface):
    table, answers = replay(client, clock, heard, surface, 40)
    lists = client.service.served().recommender.recommend(table, 10)
    for answer in answers:
        batch = lists.filter(pa.array(np.array(lists["request_id"]) == answer["request_id"]))
        online = answer["tracks"]
        assert batch["track_id"].to_pylist() == [track["track_id"] for track in online]
        np.testing.assert_allclose(
            batch["score"].to_numpy(), [track["score"] for track in online], rtol=0, atol=1e-6
        )
        for name in ("sources", "reasons", "propensity"):
            assert batch[name].to_pylist() == [track[name] for track in online]


def test_the_day_so_far_changes_batch_answers_too(client, clock, heard):
    """Without this the replay above could agree because both sides forget the day."""
    table, _ = replay(client, clock, heard, "home", 40)
    recommender = client.service.served().recommender
    forgetful = table.drop_columns(["today_track_ids", "today_skipped"])
    assert not recommender.recommend(table, 10).equals(recommender.recommend(forgetful, 10))


def test_features_of_one_request_are_those_of_the_batch(client, clock, heard):
    table, _ = replay(client, clock, heard, "home", 12)
    recommender = client.service.served().recommender
    state = recommender.state
    together = recommender.answer(requests_from_table(table, "home", state), 10)
    for place, row in enumerate(table.to_pylist()):
        today = (row["today_track_ids"], row["today_skipped"])
        one = Asked("home", row["request_id"], row["user_id"], row["at"], [], today)
        alone = recommender.answer(one_request(one, state.user_index, state.track_index), 10)
        same = together.pool.request == place
        np.testing.assert_array_equal(alone.pool.track, together.pool.track[same])
        # A product of matrices is rounded to steps of 2^-18: its last bits may move it by one.
        np.testing.assert_allclose(
            alone.features.values, together.features.values[same], rtol=1e-5, atol=2.0**-17
        )


def test_filters_leave_the_scores_of_the_others_alone(client):
    recommender = client.service.served().recommender
    state = recommender.state
    at = client.service.now(client.service.served())
    block = one_request(Asked("home", "r", "u1", at), state.user_index, state.track_index)
    plain, wishes = recommender.answer(block, 10), Wishes(tracks=("t5", "t6"))
    asked_for = recommender.answer(block, 10, wishes=wishes)
    kept = ~np.isin(plain.pool.track, [5, 6])
    np.testing.assert_array_equal(asked_for.score, plain.score[kept])
    rules = recommender.surfaces["home"].rules
    shown = apply_rules(
        plain.pool.request[kept],
        plain.pool.track[kept],
        plain.score[kept],
        state.catalogue,
        rules,
        10,
    )
    np.testing.assert_array_equal(shown.row, asked_for.shown.row)
