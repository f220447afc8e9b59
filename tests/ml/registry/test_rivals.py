"""A model's lists on the gate's ground, from candidates few enough to order by hand."""

import json
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from ml.candidates.merge import Pool
from ml.evaluation.metrics import Truth
from ml.policy.rules import PolicyRules
from ml.ranking.asked import AskedDay
from ml.ranking.rivals import champion_evidence, lists_of
from ml.registry.ground import Ground, surface_evidence
from ml.state.requests import Requests
from ml.state.state import State
from tests.ml.registry.conftest import Stored, asked

NAN = np.nan


@pytest.fixture
def ground(make_state: Callable[..., State], stream: Callable[..., dict]) -> Ground:
    """u0, who heard t0, asks on two days; the second time t1 is in the session."""
    state = make_state(users=1, tracks=6, plays={(0, 0): stream(3.0)})

    def request(session: list[int]) -> Requests:
        return Requests(
            "home",
            pa.array(["r"]),
            pa.array(["u0"]),
            np.zeros(1, np.int32),
            np.full(1, 1_773_100_800, np.int64),
            np.array([0, len(session)], np.int64),
            np.array(session, np.int32),
        )

    days = [AskedDay(0, request([]), state), AskedDay(1, request([1]), state)]
    truth = Truth(np.array([0, 1], np.int32), np.array([2, 3], np.int32), np.ones(2, np.int8), 2)
    listener = np.zeros(2, np.int32)
    streams = np.ones(6)
    return Ground(days, ("a", "b"), listener, truth, np.zeros(2), streams, state.catalogue)


def pool() -> Pool:
    """Candidates t0 to t3 of both requests; repeat_memory proposes t0 of the first request only."""
    return Pool(
        np.repeat(np.arange(2, dtype=np.int32), 4),
        np.tile(np.arange(4, dtype=np.int32), 2),
        ("repeat_memory", "popularity"),
        np.zeros((2, 8), np.float32),
        np.array([[1, *[NAN] * 7], [4, 3, 2, 1] * 2], np.float32),
    )


SCORE = np.array([4, 3, 2, 1, 4, 3, 2, 1], np.float32)


def listed(lists: object) -> list[list[int]]:
    return [lists.track[lists.request == request].tolist() for request in (0, 1)]


def test_lists_are_ordered_by_score_under_the_rules(ground: Ground) -> None:
    free = lists_of(ground, pool(), SCORE, PolicyRules(), ground.catalogue)
    assert listed(free.shown) == [[0, 1, 2, 3], [0, 1, 2, 3]]
    capped = lists_of(ground, pool(), SCORE, PolicyRules(artist_cap=1), ground.catalogue)
    assert listed(capped.shown) == [[0, 2], [0, 2]]


def test_the_new_only_lists_leave_out_what_was_heard_before_or_in_the_session(
    ground: Ground,
) -> None:
    found = lists_of(ground, pool(), SCORE, PolicyRules(), ground.catalogue)
    assert listed(found.fresh) == [[1, 2, 3], [2, 3]]
    assert found.fresh.rank.tolist() == [1, 2, 3, 1, 2]


def test_a_rule_makes_room_for_the_next_new_track(ground: Ground) -> None:
    """t0 and t1 share an artist: with a cap of one, t1 is new-only's first where t0 is left out."""
    capped = lists_of(ground, pool(), SCORE, PolicyRules(artist_cap=1), ground.catalogue)
    assert listed(capped.fresh) == [[1, 2], [2]]


def test_a_request_that_popularity_alone_answers_is_a_fallback(ground: Ground) -> None:
    found = lists_of(ground, pool(), SCORE, PolicyRules(), ground.catalogue)
    assert found.fallback.tolist() == [0.0, 1.0]
    evidence = surface_evidence(ground, found)
    assert evidence.measures["fallback"].tolist() == [0.0, 1.0]


def stored_ground(stored: Stored) -> dict[str, Ground]:
    """The listeners of the stored model, each after a track of their own."""
    state = stored.built.state
    grounds = {}
    for surface in ("home", "now_playing"):
        requests = asked(surface, state)
        size = len(requests)
        number = np.arange(size, dtype=np.int32)
        truth = Truth(
            number, ((4 * number + 2) % 60).astype(np.int32), np.ones(size, np.int8), size
        )
        keys = tuple(requests.request_ids.to_pylist())
        streams = np.asarray(state.tracks["streams"], np.float64)
        days = [AskedDay(0, requests, state)]
        grounds[surface] = Ground(
            days, keys, number, truth, np.zeros(size), streams, state.catalogue
        )
    return grounds


def test_the_champion_is_weighed_on_everything_that_the_gate_asks(stored: Stored) -> None:
    found = champion_evidence(stored_ground(stored), stored.bundle, "2026-03-10")
    assert (found.version, found.cannot_answer) == (stored.bundle.name, "")
    assert found.surfaces.keys() == {"home", "now_playing"}
    for surface in found.surfaces.values():
        assert surface.measures.keys() == {"novelty", "repeats", "calibration", "fallback"}
        assert surface.totals.keys() == {"coverage", "gini"}
        assert len(surface.slices) == 5
        assert 0 < surface.totals["coverage"] <= 1
        assert np.nanmean(surface.ndcg) > 0


def test_a_champion_whose_ranker_wants_other_features_cannot_answer(stored: Stored) -> None:
    names = stored.bundle / "home" / "ranker.json"
    names.write_text(json.dumps(["gone", *json.loads(names.read_text())[1:]]))
    found = champion_evidence(stored_ground(stored), stored.bundle, "2026-03-10")
    assert found.surfaces == {}
    assert "missing ['gone']" in found.cannot_answer
