"""Every metric against RecTools, ranx and RePlay, request by request (referees.json, make_referees.py).

Where conventions differ, the difference is written out here, and the other convention is shown to be
another number.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.evaluation.averages import list_means
from ml.evaluation.beyond import coverage
from ml.evaluation.metrics import METRICS, Lists, Truth, hits, per_request
from ml.evaluation.ordering import ranked
from ml.evaluation.surprise import above_popularity, novelty, serendipity, unexpected
from ml.evaluation.variety import intra_list_diversity

CASES = json.loads(Path(__file__).with_name("referees.json").read_text())["cases"]
I32 = np.int32
NO_LIST, NO_TRUTH, NO_HIT, ALL_TIED, PERFECT = 0, 1, 2, 3, 4


class Case:
    """A shared case as arrays."""

    def __init__(self, case: dict) -> None:
        self.k, self.requests, self.tracks = case["k"], case["requests"], case["catalogue"]
        request, track, grade = np.array(case["truth"]).T
        self.truth = Truth(
            request.astype(I32), track.astype(I32), grade.astype(np.int8), self.requests
        )
        request, track, score = np.array(case["scored"]).T
        self.scored = request.astype(I32), track.astype(I32), score.astype(np.float64)
        self.whole = ranked(*self.scored, self.truth, self.tracks)
        self.lists = self.whole.top(self.k)
        self.simple = Lists(*np.array(case["simple"], I32).T)
        vectors = np.array(case["vectors"])
        self.vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        self.past = np.array(case["history"]).T
        self.expected = case["expected"]

    def referee(self, who: str, name: str) -> NDArray[np.float64]:
        """What a referee says of each request, nan where it says nothing."""
        return np.array(self.expected[who][name], dtype=np.float64)

    def length(self) -> NDArray[np.int64]:
        """Tracks in each list."""
        return np.bincount(self.lists.request, minlength=self.requests)

    def listeners_of_track(self) -> NDArray[np.int64]:
        """Listeners who heard each track."""
        return np.bincount(self.past[1], minlength=self.tracks)


@pytest.fixture(params=CASES, ids=[case["name"] for case in CASES])
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def same(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def differ(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> bool:
    return bool(np.nanmax(np.abs(ours - theirs)) > 0.01)


def map_over_all_relevant(case: Case) -> NDArray[np.float64]:
    relevant = case.truth.relevant()
    share = np.minimum(relevant, case.k) / np.maximum(relevant, 1)
    return per_request(case.whole, case.truth, case.k)["map"] * share


def test_the_cases_hold_what_goes_wrong_elsewhere(case: Case) -> None:
    ndcg = per_request(case.whole, case.truth, case.k)["ndcg"]
    length, relevant = case.length(), case.truth.relevant()
    assert length[NO_LIST] == 0 < relevant[NO_LIST]
    assert ndcg[NO_LIST] == 0
    assert relevant[NO_TRUTH] == 0
    assert np.isnan(ndcg[NO_TRUTH])
    assert length[NO_HIT] == case.k
    assert ndcg[NO_HIT] == 0
    assert ndcg[ALL_TIED] == 0
    assert ndcg[PERFECT] == 1
    assert (case.truth.track >= case.tracks).any()
    assert ((length > 0) & (length < case.k)).any()
    assert (relevant > case.k).any()


@pytest.mark.parametrize("metric", [name for name in METRICS if name != "map"])
def test_all_but_map_agree_with_all_three(case: Case, metric: str) -> None:
    ours = per_request(case.whole, case.truth, case.k)[metric]
    same(ours, case.referee("rectools", metric))
    same(ours, case.referee("replay", metric))
    same(ours, case.referee("ranx", metric))


def test_map_agrees_with_replay_and_up_to_its_denominator_with_rectools_and_ranx(
    case: Case,
) -> None:
    ours = per_request(case.whole, case.truth, case.k)["map"]
    same(ours, case.referee("replay", "map"))
    same(map_over_all_relevant(case), case.referee("rectools", "map_full"))
    same(map_over_all_relevant(case), case.referee("ranx", "map_full"))


def test_map_over_all_relevant_tracks_is_another_number(case: Case) -> None:
    assert differ(
        per_request(case.whole, case.truth, case.k)["map"], case.referee("ranx", "map_full")
    )


def test_graded_ndcg_agrees_with_ranx(case: Case) -> None:
    graded = per_request(case.whole, case.truth, case.k, graded=True)["ndcg"]
    same(graded, case.referee("ranx", "ndcg_graded"))
    assert differ(graded, per_request(case.whole, case.truth, case.k)["ndcg"])


def test_ndcg_with_an_ideal_of_k_hits_is_another_number(case: Case) -> None:
    ours = per_request(case.whole, case.truth, case.k)["ndcg"]
    discount = np.cumsum(1 / np.log2(np.arange(2, case.k + 2)))
    relevant = np.clip(case.truth.relevant(), 1, case.k)
    same(ours * discount[relevant - 1] / discount[-1], case.referee("rectools", "ndcg_default"))
    assert differ(ours, case.referee("rectools", "ndcg_default"))


def test_ties_for_the_model_would_be_another_number(case: Case) -> None:
    whole = case.whole
    request, track, score = case.scored
    wanted = hits(Lists(request, track, np.ones_like(track)), case.truth) > 0
    kind = ranked(request, track, score + 0.1 * wanted, case.truth, case.tracks)
    ours, kinder = (per_request(lists, case.truth, case.k)["ndcg"] for lists in (whole, kind))
    assert differ(kinder, ours)
    assert kinder[ALL_TIED] > ours[ALL_TIED] == 0


def test_coverage_agrees_with_rectools(case: Case) -> None:
    assert coverage(case.lists, case.tracks) == pytest.approx(
        case.expected["rectools"]["coverage"], abs=1e-9
    )


def test_novelty_agrees_with_rectools_and_replay(case: Case) -> None:
    listeners, heard = len(np.unique(case.past[0])), case.listeners_of_track()
    ours = novelty(case.lists, -np.log2(np.maximum(heard, 1) / listeners), case.requests)
    same(ours, case.referee("rectools", "novelty_by_listeners"))
    # RePlay scales to 1 and divides by k where a list is shorter.
    scaled = ours / np.log2(listeners) * case.length() / case.k
    same(scaled, case.referee("replay", "surprisal"))


def test_intra_list_diversity_agrees_with_rectools(case: Case) -> None:
    ours = intra_list_diversity(case.lists, case.vectors, case.requests)
    several = case.length() > 1
    same(ours[several], case.referee("rectools", "diversity")[several])
    assert np.isnan(ours[~several]).all()


def test_serendipity_agrees_with_rectools(case: Case) -> None:
    ours = serendipity(
        case.lists, case.truth, above_popularity(case.lists, case.listeners_of_track())
    )
    # RecTools knows no request without a list, and counts one without truth as 0.
    judged = (case.length() > 0) & (case.truth.relevant() > 0)
    same(ours[judged], case.referee("rectools", "serendipity")[judged])
    assert ours[NO_LIST] == 0


def test_unexpectedness_agrees_with_replay(case: Case) -> None:
    rows = unexpected(case.lists, case.simple)
    expected = 1 - list_means(case.lists, 1 - rows, case.requests) * case.length() / case.k
    same(expected, case.referee("replay", "unexpectedness"))
    assert (rows == 0).any()
