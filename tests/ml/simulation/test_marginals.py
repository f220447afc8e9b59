"""Figures of a log, worked out by hand."""

import numpy as np
import pytest

from ml.simulation.marginals import (
    density_slope,
    heard_before,
    hours_between,
    number_in_group,
    popularity,
    sessions,
)


def test_popularity_of_ten_tracks():
    told = popularity(np.array([0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 11]))
    assert told.items == 10
    assert told.top_1 == told.top_10 == pytest.approx(11 / 20)
    # sum((2i - 11) x_i) = 1 * (-9 - 7 - 5 - 3 - 1 + 1 + 3 + 5 + 7) + 11 * 9 = 90, over 10 * 20.
    assert told.gini == pytest.approx(0.45)
    assert np.isnan(told.slope)


def test_equal_plays_have_no_gini_and_no_slope():
    told = popularity(np.full(100, 3))
    assert told.gini == pytest.approx(0.0)
    assert told.slope == pytest.approx(0.0)
    assert told.top_10 == pytest.approx(0.1)


def test_the_rank_slope_of_a_power_law_is_its_exponent():
    plays = np.round(1e9 * np.arange(1, 3_001, dtype=float) ** -0.8).astype(np.int64)
    assert popularity(plays).slope == pytest.approx(-0.8, abs=1e-4)


def test_a_listen_is_heard_before_within_its_group_alone():
    group = np.array([0, 0, 0, 1, 1, 1])
    track = np.array([5, 6, 5, 5, 5, 6])
    assert heard_before(group, track).tolist() == [False, False, True, False, True, False]
    assert number_in_group(group).tolist() == [0, 1, 2, 0, 1, 2]


def test_a_session_ends_after_half_an_hour_and_with_its_listener():
    user = np.array([0, 0, 0, 1])
    second = np.array([0.0, 1_800.0, 3_601.0, 3_602.0])
    assert sessions(user, second).tolist() == [0, 0, 1, 2]


def test_hours_run_from_a_play_to_the_next_of_the_same_listener_and_track():
    user = np.array([0, 0, 0, 0, 1])
    track = np.array([7, 8, 7, 7, 8])
    second = np.array([0.0, 60.0, 3_600.0, 10_800.0, 90.0])
    assert sorted(hours_between(user, track, second)) == [1.0, 2.0]


def test_the_density_slope_of_a_power_law_is_its_exponent():
    # Quantiles of the density x^-2 on [1, 100].
    uniform = (np.arange(200_000) + 0.5) / 200_000
    values = 1.0 / (1.0 - uniform * 0.99)
    assert density_slope(values, 1.0, 100.0) == pytest.approx(-2.0, abs=0.02)


def test_a_density_without_values_has_no_slope():
    assert np.isnan(density_slope(np.array([2.0]), 1.0, 100.0))
