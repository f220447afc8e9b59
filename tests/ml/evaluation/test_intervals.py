"""Bootstrap intervals over users, paired differences, p-values and Holm's correction."""

import numpy as np
import pytest

from ml.evaluation.averages import user_means
from ml.evaluation.comparisons import holm, p_values
from ml.evaluation.intervals import (
    bootstrap,
    intervals,
    mean_interval,
    paired_interval,
    request_interval,
    resampled_means,
)

I32 = np.int32


def test_a_model_against_itself_has_no_advantage() -> None:
    scores, user = np.array([0.1, 0.9, 0.4]), np.array([0, 1, 2], I32)
    interval = paired_interval(scores, scores, user, seed=1)
    assert (interval.mean, interval.low, interval.high) == (0.0, 0.0, 0.0)


def test_a_model_that_always_wins_has_an_interval_above_zero() -> None:
    user = np.arange(50, dtype=I32)
    better = np.linspace(0.5, 0.9, 50)
    assert paired_interval(better, better - 0.1, user, seed=1).low > 0.09


def test_a_constant_advantage_is_certain_though_both_models_vary() -> None:
    values = np.random.default_rng(1).random(40)
    both = np.stack([values, values + 0.1], axis=1)
    means = resampled_means(both, seed=2, resamples=300)
    assert np.ptp(means[:, 0]) > 0.05
    assert np.ptp(means[:, 1] - means[:, 0]) < 1e-12


def test_resampled_means_are_those_of_the_users_drawn() -> None:
    values = np.random.default_rng(3).random((11, 2))
    drawn = np.random.default_rng(5).integers(0, 11, size=(100, 11), dtype=I32)
    expected = values[drawn].mean(axis=1)
    np.testing.assert_allclose(resampled_means(values, seed=5, resamples=100), expected)


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    samples = generator.exponential(size=(300, 60))
    found = [bootstrap(sample, seed=number, resamples=400) for number, sample in enumerate(samples)]
    held = np.mean([one.low <= 1.0 <= one.high for one in found])
    # Percentile intervals of 60 skewed values hold a little less than they say.
    assert 0.88 < held < 0.98


def test_users_and_not_requests_are_resampled() -> None:
    values, user = np.array([1.0] * 99 + [0.0]), np.array([0] * 99 + [1], I32)
    interval = mean_interval(values, user, seed=1)
    assert (interval.mean, interval.low, interval.high, interval.users) == (0.5, 0.0, 1.0, 2)


def test_a_column_counts_only_the_users_it_judges() -> None:
    values = np.array([[1.0, np.nan], [1.0, 0.2], [0.0, 0.2], [0.0, np.nan]])
    whole, part = intervals(values, seed=1)
    assert (whole.mean, whole.users) == (0.5, 4)
    assert (part.mean, part.low, part.high, part.users) == pytest.approx((0.2, 0.2, 0.2, 2))


def test_nobody_has_no_interval() -> None:
    nothing = bootstrap(np.zeros(0), seed=1)
    assert nothing.users == 0
    assert np.isnan([nothing.mean, nothing.low, nothing.high]).all()
    column = intervals(np.full((3, 1), np.nan), seed=1)[0]
    assert column.text() == "n/a"


def test_one_listener_has_a_mean_and_no_interval() -> None:
    """Every resample is the same listener: bounds at the mean would call any difference certain."""
    alone = bootstrap(np.array([0.1]), seed=1)
    assert (alone.mean, alone.users, alone.text()) == (0.1, 1, "0.1000 (one listener)")
    assert np.isnan([alone.low, alone.high]).all()
    both, one, nobody = intervals(np.array([[0.5, 0.2, np.nan], [0.5, np.nan, np.nan]]), seed=1)
    assert (both.low, both.high) == (0.5, 0.5)
    assert one.text() == "0.2000 (one listener)"
    assert np.isnan([one.low, one.high]).all()
    assert nobody.text() == "n/a"
    requests = request_interval(np.array([1.0, 0.0]), np.zeros(2, I32), seed=1)
    assert requests.text() == "0.5000 (one listener)"
    assert np.isnan([requests.low, requests.high]).all()


def test_means_of_columns_by_user_leave_out_what_is_missing() -> None:
    values = np.array([[1.0, np.nan], [0.0, np.nan], [0.5, 0.5], [np.nan, 0.1]])
    users, means = user_means(values, np.array([9, 9, 2, 2], I32))
    assert users.tolist() == [2, 9]
    np.testing.assert_allclose(means, [[0.5, 0.3], [0.5, np.nan]])


def test_p_is_twice_the_smaller_side_with_the_sample_counted() -> None:
    means = np.array([[-1.0, 1.0, 0.0], [1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [3.0, 1.0, 0.0]])
    assert p_values(means).tolist() == [2 * 2 / 5, 2 * 1 / 5, 1.0]


def test_p_agrees_with_the_interval_about_zero() -> None:
    generator = np.random.default_rng(11)
    values = generator.normal(size=(80, 60)) + generator.normal(size=60) * 0.2
    p = p_values(resampled_means(values, seed=1, resamples=2_000))
    apart = np.array(
        [one.low > 0 or one.high < 0 for one in intervals(values, seed=1, resamples=2_000)]
    )
    assert 5 < apart.sum() < 55
    assert ((p < 0.048) <= apart).all()
    assert (apart <= (p < 0.052)).all()


def test_holm_multiplies_the_least_by_the_number_of_comparisons_and_steps_down() -> None:
    # Sorted .01, .02, .03, .04: times 4, 3, 2, 1, and never below the one before.
    adjusted = holm(np.array([0.04, 0.01, 0.03, 0.02]))
    assert adjusted.tolist() == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_holm_counts_no_comparison_that_was_not_made() -> None:
    adjusted = holm(np.array([np.nan, 0.02, 0.9]))
    assert np.isnan(adjusted[0])
    assert adjusted[1:].tolist() == pytest.approx([0.04, 0.9])


def test_holm_keeps_false_alarms_of_a_family_at_the_level() -> None:
    generator = np.random.default_rng(13)
    alarms = holm_alarms = 0
    for number in range(200):
        values = generator.normal(size=(50, 20))
        p = p_values(resampled_means(values, seed=number, resamples=1_000))
        alarms += bool((p < 0.05).any())
        holm_alarms += bool((holm(p) < 0.05).any())
    assert alarms > 100
    # Twenty times the least p of 2 / 1,001 is .04; the percentile method is a little too sure of itself.
    assert holm_alarms < 25


def test_the_mean_over_requests_gives_a_busy_listener_the_weight_of_all_requests() -> None:
    """Listener 0 has three requests at 1, listener 1 one at 0: 3/4, not the listeners' mean of 1/2."""
    interval = request_interval(
        np.array([1.0, 1.0, 1.0, 0.0, np.nan]), np.array([0, 0, 0, 1, 2], np.int32), seed=1
    )
    assert interval.mean == 0.75
    assert (interval.low, interval.high) == (0.0, 1.0)
    assert interval.users == 2


def test_no_judged_request_has_no_interval() -> None:
    assert request_interval(np.array([np.nan]), np.zeros(1, np.int32), seed=1).users == 0
