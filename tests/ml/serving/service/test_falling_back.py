"""A late answer is a simpler one, and says so."""

import json

import pytest

from ml.serving.pace import Patient, Way
from ml.serving.service.answering import Deadline


def test_in_time_nothing_falls_back(client):
    assert client.ask(user_id="u1", k=3)["fallback"] is None


def test_what_waited_too_long_is_answered_by_popularity(start, clock):
    client = start(deadline_ms=1.0)
    clock.step = 0.002
    answer = client.ask(user_id="u1", k=3)
    assert (answer["answered_by"], answer["fallback"]) == ("popularity", "popularity")
    assert {name for track in answer["tracks"] for name in track["sources"]} == {"popularity"}
    assert [track["contributions"] for track in answer["tracks"]] == [None] * 3
    assert (
        'segue_fallbacks_total{surface="home",way="popularity"} 1.0' in client.get("/metrics").text
    )


class LateAt(Patient):
    """Late from the n-th question on."""

    def __init__(self, question):
        self.left = question

    def late(self):
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize(
    ("question", "way"), [(0, Way.POPULARITY), (1, Way.LEADER), (2, Way.CHOSEN)]
)
def test_the_later_the_simpler(client, question, way):
    from ml.state.requests import Asked, one_request

    recommender = client.service.served().recommender
    state = recommender.state
    at = client.service.now(client.service.served())
    block = one_request(Asked("home", "r", "u1", at), state.user_index, state.track_index)
    answer = recommender.answer(block, 5, pace=LateAt(question))
    assert answer.way is way
    assert len(answer.shown.row) == 5
    leader = answer.pool.generators.index("popularity")
    if way is not Way.CHOSEN:
        assert answer.pool.rank[leader, answer.shown.row].tolist() == [1, 2, 3, 4, 5]


def test_a_fallback_is_an_arm_of_its_own_in_the_journal(start, clock, world):
    client = start(deadline_ms=1.0)
    clock.step = 0.002
    client.ask(user_id="u1", k=1)
    client.until_written()
    (path,) = world.settings.journal.glob("day=*/*.jsonl")
    assert json.loads(path.read_text())["arm"] == "champion-popularity"


def test_stages_are_counted_from_the_end_of_the_one_before():
    seconds = iter([1.0, 1.25, 2.0])
    pace = Deadline(0.5, 1.0, lambda: next(seconds))
    pace.begin()
    pace.passed("candidates")
    assert pace.stages == {"wait": 0.5, "candidates": 0.25}
    assert pace.late()
