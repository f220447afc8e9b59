"""A bundle read back gives the lists it was built with; one file changed, and it is seen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml.evaluation.metrics import Truth
from ml.policy.rules import PolicyRules
from ml.ranking.asked import AskedDay
from ml.registry.evidence import Invariant
from ml.registry.ground import Ground
from ml.registry.invariants import (
    Answered,
    _agree,
    _distinct,
    _filled,
    differing,
    in_blocks,
    logged,
    one_by_one,
)
from ml.registry.policy import shipped_policy
from ml.serving.recommender import Recommender, SurfaceModel
from tests.ml.registry.conftest import K, Stored


def broken(invariants: dict[str, Invariant]) -> set[str]:
    return {name for name, one in invariants.items() if not one.passed}


def change(path: Path) -> None:
    """Turn the rows of an array file round, its shape and type kept."""
    np.save(path, np.ascontiguousarray(np.load(path)[::-1]))


def test_a_stored_model_keeps_every_invariant(stored: Stored) -> None:
    found = stored.invariants()
    assert broken(found) == set()
    assert found.keys() == type(shipped_policy().invariants).model_fields.keys()
    assert found["online_matches_batch"].text.startswith("26 of 26 requests alike within 1e-06")


def test_a_changed_vector_file_is_seen_online_in_batch_and_by_its_hash(stored: Stored) -> None:
    change(stored.bundle / "vectors.npy")
    assert broken(stored.invariants()) == {
        "bundle_verifies",
        "scores_reproduce",
        "online_matches_batch",
    }


def test_a_changed_feature_of_the_published_state_is_seen(stored: Stored) -> None:
    """The bundle is whole: only its answers tell."""
    change(stored.published / "user_tracks.values.npy")
    assert broken(stored.invariants()) == {"scores_reproduce", "online_matches_batch"}


def test_a_ranker_of_another_training_is_seen(stored: Stored) -> None:
    booster = stored.built.surfaces["home"].ranker.booster
    booster[:10].save_model(stored.bundle / "home" / "ranker.ubj")
    found = stored.invariants()
    assert "online_matches_batch" in broken(found)
    assert "differs from its hash" in found["bundle_verifies"].text


def test_lists_that_end_early_are_not_full(stored: Stored) -> None:
    """One track an artist, and twelve artists blocked of thirty, leave eighteen."""
    blocked = tuple(f"a{number}" for number in range(12))
    whole = stored.invariants()["lists_are_full"]
    assert whole.text == "26 of 26 lists are full"
    home = stored.built.surfaces["home"]
    only_popular = {"popularity": home.sources.generators["popularity"]}
    narrow = replace(home, sources=replace(home.sources, generators=only_popular), ranker=None)
    tight = replace(narrow, rules=PolicyRules(artist_cap=1, blocked_artists=blocked))
    assert len(in_blocks(with_home(stored, tight), stored.parts[:1], K).track) == 13
    few = {"repeat_memory": home.sources.generators["repeat_memory"]}
    short = replace(narrow, sources=replace(home.sources, generators=few))
    found = stored.invariants(with_home(stored, short))["lists_are_full"]
    assert not found.passed
    assert found.text == "13 of 26 lists are full"
    assert stored.invariants(with_home(stored, tight))["lists_are_full"].passed


def with_home(stored: Stored, model: SurfaceModel) -> Recommender:
    return replace(stored.built, surfaces={**stored.built.surfaces, "home": model})


def test_without_a_request_no_invariant_breaks_and_that_nobody_asked_is_said(
    stored: Stored,
) -> None:
    found = replace(stored, parts=[]).invariants()
    assert broken(found) == set()
    said = {name for name, one in found.items() if one.text == "nobody asked"}
    assert said == {"scores_reproduce", "lists_are_full", "online_matches_batch"}


@pytest.mark.parametrize(
    ("asked", "least", "allowed"),
    [
        (1, 0.99, 0),
        (2, 0.99, 1),
        (50, 0.99, 1),
        (1000, 0.995, 5),
        (10, 0.8, 2),
        (50, 1.0, 0),
    ],
)
def test_of_few_requests_one_may_miss_where_a_share_may(
    asked: int, least: float, allowed: int
) -> None:
    """A hundredth of 50 requests is less than one."""
    track = np.zeros((asked, 1), np.int32)
    whole = Answered(track, np.ones((asked, 1)))
    for misses in range(min(allowed + 2, asked + 1)):
        other = np.arange(asked)[:, None] < misses
        found = Answered(np.where(other, 1, track).astype(np.int32), whole.score)
        assert _agree(whole, found, 1e-6, least).passed is (misses <= allowed)
        short = Answered(np.where(other, -1, track).astype(np.int32), whole.score)
        wanted = np.ones(asked, np.int64)
        assert _filled(short, wanted, least).passed is (misses <= allowed)


def test_answers_one_by_one_stand_in_the_order_of_the_requests(stored: Stored) -> None:
    single = one_by_one(stored.built, stored.parts, K)
    assert single.track.shape == (26, K)
    np.testing.assert_array_equal(single.track, in_blocks(stored.built, stored.parts, K).track)


def answered(tracks: list[list[int]], scores: list[list[float]]) -> Answered:
    return Answered(np.array(tracks, np.int32), np.array(scores))


ONE = answered([[4, 5, -1], [6, 7, 8]], [[3.0, 2.0, np.nan], [0.3, 0.2, 0.1]])


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (ONE, 0),
        (answered([[5, 4, -1], [6, 7, 8]], [[3.0, 2.0, np.nan], [0.3, 0.2, 0.1]]), 1),
        (answered([[4, 5, 9], [6, 7, 8]], [[3.0, 2.0, 1.0], [0.3, 0.2, 0.1]]), 1),
        (answered([[4, 5, -1], [6, 7, 8]], [[3.0, 2.0, np.nan], [0.3, 0.2, 0.1 + 2e-6]]), 1),
        (answered([[4, 5, -1], [6, 7, 8]], [[3.0 + 2e-6, 2.0, np.nan], [0.3, 0.2, 0.1]]), 0),
        (answered([[4, 5, -1], [6, 7, 8]], [[np.nan, 2.0, np.nan], [0.3, 0.2, 0.1]]), 1),
        (answered([[4, 5, -1]], [[3.0, 2.0, np.nan]]), 2),
    ],
)
def test_a_request_differs_by_a_track_a_place_or_a_score_beyond_the_tolerance(
    other: Answered, expected: int
) -> None:
    """Above 1 the tolerance grows with the score: 2e-6 of 3 is within 1e-6."""
    assert differing(ONE, other, 1e-6)[0] == expected


def test_a_list_that_holds_a_track_twice_is_counted(stored: Stored) -> None:
    twice = _distinct(answered([[4, 5, 4], [6, -1, -1]], [[3, 2, 1], [1, np.nan, np.nan]]))
    assert (twice.passed, twice.text) == (False, "1 of 2 lists hold one twice")
    assert _distinct(ONE).passed


def test_requests_are_drawn_evenly_from_surfaces_days_and_hours(stored: Stored) -> None:
    """13 requests on each of two surfaces; six of each make at most twelve."""
    parts = logged(grounds_of(stored), 12)
    assert [one.surface for one in parts] == ["home", "now_playing"]
    assert [one.request_ids.to_pylist() for one in parts] == [
        [f"{one.surface}-{user}" for user in (0, 2, 4, 6, 8, 10)] for one in parts
    ]
    assert [len(one) for one in logged(grounds_of(stored), 1_000)] == [13, 13]
    assert logged({}, 1_000) == []


def grounds_of(stored: Stored) -> dict[str, Ground]:
    """One day on each surface; of the rest nothing is looked at."""
    state, nothing = stored.built.state, np.zeros(0)
    truth = Truth(*[np.zeros(0, np.int32)] * 2, np.zeros(0, np.int8), 0)
    return {
        one.surface: Ground(
            [AskedDay(0, one, state)],
            (),
            np.zeros(0, np.int32),
            truth,
            nothing,
            nothing,
            state.catalogue,
        )
        for one in stored.parts
    }
