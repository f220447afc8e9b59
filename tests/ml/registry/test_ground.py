"""The figures that the gate weighs, on lists short enough to count by hand."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from ml.evaluation.metrics import Lists, Truth
from ml.ranking.asked import AskedDay
from ml.registry.evidence import SurfaceEvidence
from ml.registry.ground import Ground, ModelLists, surface_evidence
from ml.state.requests import Requests
from ml.state.state import State

INT = np.int32


def lists(*tracks: list[int]) -> Lists:
    """A list a request."""
    sizes = [len(one) for one in tracks]
    return Lists(
        np.repeat(np.arange(len(tracks), dtype=INT), sizes),
        np.concatenate([np.asarray(one, dtype=INT) for one in tracks]),
        np.concatenate([np.arange(1, size + 1, dtype=INT) for size in sizes]),
    )


def requests_of(users: list[int], sessions: list[list[int]]) -> Requests:
    size = len(users)
    lengths = [len(one) for one in sessions]
    return Requests(
        "now_playing",
        pa.array([f"r{i}" for i in range(size)], pa.string()),
        pa.array([f"u{i}" for i in users], pa.string()),
        np.array(users, dtype=INT),
        np.full(size, 1_773_100_800, dtype=np.int64),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.array([track for one in sessions for track in one], dtype=INT),
    )


@pytest.fixture
def ground(make_state: Callable[..., State], stream: Callable[..., dict]) -> Ground:
    """u0 heard t0 six times and t1 twice; u1 is new. Two days: u0 asks, then u0 and u1.

    Relevant: t0 (heard) and t2 (new) for request 0, t3 for request 1, t4 for request 2, in whose session
    t5 was just played.
    """
    plays = {(0, 0): stream(6.0), (0, 1): stream(2.0)}
    state = make_state(users=2, tracks=6, plays=plays)
    days = [
        AskedDay(0, requests_of([0], [[]]), state),
        AskedDay(1, requests_of([0, 1], [[], [5]]), state),
    ]
    truth = Truth(
        np.array([0, 0, 1, 2], dtype=INT),
        np.array([0, 2, 3, 4], dtype=INT),
        np.ones(4, dtype=np.int8),
        3,
    )
    return Ground(
        days,
        ("r0", "r1", "r2"),
        np.array([0, 0, 1], dtype=INT),
        truth,
        np.zeros(3),
        np.array([10.0, 5.0, 1.0, 1.0, 1.0, 0.0]),
        state.catalogue,
    )


@pytest.fixture
def evidence(ground: Ground) -> SurfaceEvidence:
    shown = lists([0, 1], [0, 3], [4, 5])
    fresh = lists([2, 3], [3, 2], [4, 0])
    return surface_evidence(ground, ModelLists(shown, fresh, np.array([0.0, 0.0, 1.0])))


def test_heard_is_what_the_state_of_the_requests_own_day_holds(ground: Ground) -> None:
    request, track = np.array([0, 0, 1, 2, 2], INT), np.array([0, 2, 1, 0, 5], INT)
    assert ground.heard(request, track).tolist() == [True, False, True, False, False]
    with_session = ground.heard(request, track, session=True)
    assert with_session.tolist() == [True, False, True, False, True]


def test_a_track_that_came_after_the_day_was_never_heard(ground: Ground) -> None:
    later = np.array([99], INT)
    assert ground.heard(np.array([0], INT), later, session=True).tolist() == [False]


def test_ndcg_is_that_of_the_shown_lists(evidence: SurfaceEvidence) -> None:
    """Request 0 finds one of two at rank 1, request 1 its one at rank 2, request 2 its one at rank 1."""
    second = 1 / np.log2(3)
    np.testing.assert_allclose(evidence.ndcg, [1 / (1 + second), second, 1.0])


def test_slices_hold_their_requests_and_targets_only(evidence: SurfaceEvidence) -> None:
    """u0 streamed 8 times: light. u1 is new. Tail: tracks beyond four fifths of the 18 streams."""
    nan, second = np.nan, 1 / np.log2(3)
    np.testing.assert_allclose(evidence.slices["new_listeners"], [nan, nan, 1.0])
    np.testing.assert_allclose(evidence.slices["light_listeners"], [1 / (1 + second), second, nan])
    np.testing.assert_allclose(evidence.slices["heavy_listeners"], [nan, nan, nan])
    np.testing.assert_allclose(evidence.slices["tail_tracks"], [0.0, second, 1.0])


def test_new_only_is_judged_on_lists_and_targets_without_heard_tracks(
    evidence: SurfaceEvidence,
) -> None:
    """Without t0, request 0 has t2 to find, which its fresh list shows first."""
    np.testing.assert_allclose(evidence.slices["new_only"], [1.0, 1.0, 1.0])


def test_repeats_are_the_distance_between_what_is_shown_and_what_is_taken(
    evidence: SurfaceEvidence,
) -> None:
    """u0's lists repeat all of 2 and 1 of 2, u0 takes 1 of 2 and 0 of 1: on average 0.5 too many."""
    np.testing.assert_allclose(evidence.measures["repeats"], [0.5, 0.5, 0.0])


def test_novelty_is_the_mean_surprise_of_the_list_in_bits(evidence: SurfaceEvidence) -> None:
    """Streams plus one: 11, 6, 2, 2, 2, 1 of 24."""
    bits = -np.log2(np.array([11, 6, 2, 2, 2, 1]) / 24)
    expected = [(bits[0] + bits[1]) / 2, (bits[0] + bits[3]) / 2, (bits[4] + bits[5]) / 2]
    np.testing.assert_allclose(evidence.measures["novelty"], expected)


def test_calibration_compares_genres_and_leaves_new_listeners_out(
    evidence: SurfaceEvidence,
) -> None:
    """u0 heard genre 0 (t0) for three quarters and genre 1 (t1) for one; both lists are half and half."""
    p, q = np.array([0.75, 0.25]), np.array([0.5, 0.5])
    expected = (p * np.log(p / (0.99 * q + 0.01 * p))).sum()
    np.testing.assert_allclose(evidence.measures["calibration"], [expected, expected, np.nan])


def test_coverage_and_concentration_are_those_of_all_lists(evidence: SurfaceEvidence) -> None:
    """t0, t1, t3, t4 and t5 of six tracks; artists are shown 3, 1 and 2 times."""
    assert evidence.totals["coverage"] == pytest.approx(5 / 6)
    assert evidence.totals["gini"] == pytest.approx((-2 * 1 + 0 * 2 + 2 * 3) / (3 * 6))


def test_fallback_is_passed_on(evidence: SurfaceEvidence) -> None:
    assert evidence.measures["fallback"].tolist() == [0.0, 0.0, 1.0]
