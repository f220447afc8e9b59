"""Laws that hold for every list, truth and listener."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as npst

from ml.evaluation.beyond import gini
from ml.evaluation.calibration import ALPHA, miscalibration
from ml.evaluation.comparisons import holm
from ml.evaluation.metrics import METRICS, Lists, Truth, per_request
from ml.evaluation.ordering import ranked_catalogue
from ml.evaluation.variety import intra_list_diversity

I32 = np.int32
TRACKS = 12
law = settings(deadline=None, max_examples=60, derandomize=True)

tracks = st.lists(st.integers(0, TRACKS - 1), unique=True, max_size=TRACKS)
# Some wanted tracks are outside the catalogue.
wanted = st.dictionaries(st.integers(0, TRACKS + 2), st.integers(1, 4), max_size=8)
requests = st.lists(st.tuples(tracks, wanted), min_size=1, max_size=6)
depth = st.integers(1, TRACKS)


def arrays(found: list[tuple[list[int], dict[int, int]]]) -> tuple[Lists, Truth]:
    """Lists and truth of requests in the given order."""
    shown = [
        (request, track, rank)
        for request, (tracks, _) in enumerate(found)
        for rank, track in enumerate(tracks, 1)
    ]
    rows = [
        (request, track, grade)
        for request, (_, wanted) in enumerate(found)
        for track, grade in wanted.items()
    ]
    lists = Lists(*np.array(shown, I32).reshape(-1, 3).T)
    request, track, grade = np.array(rows, I32).reshape(-1, 3).T
    return lists, Truth(request, track, grade.astype(np.int8), len(found))


@law
@given(requests, depth, st.booleans())
def test_every_metric_lies_between_nothing_and_all(found, k, graded) -> None:
    lists, truth = arrays(found)
    for values in per_request(lists, truth, k, graded=graded).values():
        assert (np.isnan(values) == (truth.relevant() == 0)).all()
        assert ((values >= 0) & (values <= 1))[truth.relevant() > 0].all()


@law
@given(wanted.filter(bool), depth, st.booleans())
def test_the_ideal_order_has_ndcg_and_map_of_one(grades, k, graded) -> None:
    best = sorted(grades, key=lambda track: -grades[track])
    values = per_request(*arrays([(best, grades)]), k, graded=graded)
    assert values["ndcg"][0] == values["map"][0] == values["mrr"][0] == 1.0


@law
@given(requests)
def test_recall_and_hit_rate_never_fall_with_k(found) -> None:
    lists, truth = arrays(found)
    at = [per_request(lists, truth, k) for k in range(1, TRACKS + 1)]
    judged = truth.relevant() > 0
    for metric in ("recall", "hit_rate", "mrr"):
        assert (np.diff([values[metric][judged] for values in at], axis=0) >= 0).all()


@law
@given(requests, depth, st.randoms(use_true_random=False))
def test_the_order_of_requests_changes_nothing(found, k, chance) -> None:
    order = list(range(len(found)))
    chance.shuffle(order)
    plain = per_request(*arrays(found), k, graded=True)
    shuffled = per_request(*arrays([found[at] for at in order]), k, graded=True)
    for metric in METRICS:
        np.testing.assert_array_equal(shuffled[metric], plain[metric][order])


@law
@given(requests, depth, st.randoms(use_true_random=False))
def test_the_order_of_the_truth_changes_nothing(found, k, chance) -> None:
    lists, truth = arrays(found)
    order = list(range(len(truth.request)))
    chance.shuffle(order)
    other = Truth(truth.request[order], truth.track[order], truth.grade[order], truth.requests)
    for metric, values in per_request(lists, truth, k).items():
        np.testing.assert_array_equal(values, per_request(lists, other, k)[metric])


@law
@given(requests, depth)
def test_what_stands_below_the_last_hit_changes_ndcg_not_at_all(found, k) -> None:
    lists, truth = arrays(found)
    padded = [(shown + list(range(100, 105)), grades) for shown, grades in found]
    np.testing.assert_array_equal(
        per_request(lists, truth, k)["ndcg"], per_request(*arrays(padded), k)["ndcg"]
    )


@law
@given(npst.arrays(np.float64, (3, TRACKS), elements=st.integers(0, 3)), depth)
def test_breaking_ties_any_other_way_never_lowers_a_metric(score, k) -> None:
    grades = [dict.fromkeys((0, 5, 9), 1)] * 3
    truth = arrays([([], one) for one in grades])[1]
    against = per_request(ranked_catalogue(score, truth, k), truth, k)
    by_track = np.argsort(-score, axis=1, kind="stable")
    other = per_request(
        *arrays([(list(row), one) for row, one in zip(by_track, grades, strict=True)]), k
    )
    for metric in METRICS:
        assert (other[metric] >= against[metric] - 1e-12).all()


shares = npst.arrays(np.float64, (4, 5), elements=st.floats(0, 1, allow_subnormal=False)).map(
    lambda mass: (mass + 1e-9) / (mass + 1e-9).sum(axis=1, keepdims=True)
)


@law
@given(shares)
def test_a_list_in_the_profiles_proportions_is_calibrated(profile) -> None:
    assert miscalibration(profile, profile).tolist() == pytest.approx([0.0] * 4, abs=1e-12)


@law
@given(shares, shares)
def test_miscalibration_lies_between_zero_and_minus_log_alpha(profile, shown) -> None:
    found = miscalibration(profile, shown)
    assert ((found >= 0) & (found <= -np.log(ALPHA) + 1e-9)).all()


@law
@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=30).filter(any), st.integers(2, 5))
def test_gini_lies_below_one_and_does_not_know_order_or_scale(counts, factor) -> None:
    counts = np.array(counts)
    found = gini(counts)
    assert -1e-12 <= found <= (len(counts) - 1) / len(counts) + 1e-12
    assert gini(counts[::-1] * factor) == pytest.approx(found, abs=1e-12)


@law
@given(st.integers(1, 1_000), st.integers(1, 50))
def test_gini_of_equal_exposure_is_zero(count, size) -> None:
    assert gini(np.full(size, count)) == 0.0


@law
@given(
    npst.arrays(np.float64, (TRACKS, 3), elements=st.floats(-1, 1)),
    st.lists(st.integers(0, TRACKS - 1), unique=True, min_size=2, max_size=6),
)
def test_diversity_is_one_less_the_mean_cosine_over_pairs(vectors, shown) -> None:
    vectors = vectors + 2.0 * np.eye(TRACKS, 3) + 1e-3
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    size = len(shown)
    lists = Lists(np.zeros(size, I32), np.array(shown, I32), np.arange(1, size + 1, dtype=I32))
    cosine = vectors[shown] @ vectors[shown].T
    expected = 1 - cosine[np.triu_indices(size, 1)].mean()
    assert intra_list_diversity(lists, vectors, 1)[0] == pytest.approx(expected, abs=1e-9)


@law
@given(npst.arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 1)))
def test_holm_never_lowers_a_chance_and_keeps_their_order(p) -> None:
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()
    assert (adjusted <= np.minimum(1.0, p * len(p)) + 1e-12).all()
