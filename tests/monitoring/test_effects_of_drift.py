"""Effect sizes: hand-computed cases and laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.effects import (
    cosine,
    js_distance,
    null_share,
    psi,
    sampling_noise,
    wasserstein_normed,
)

SHARES = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1), max_size=6)


def test_js_distance_of_disjoint_shares_is_one():
    assert js_distance({"a": 1.0}, {"b": 1.0}) == pytest.approx(1.0)


def test_js_distance_agrees_with_a_hand_computed_case():
    # p = (1, 0), q = (1/2, 1/2), m = (3/4, 1/4):
    # half of log2(4/3), plus half of (1/2 log2(2/3) + 1/2 log2 2).
    divergence = 0.5 * np.log2(4 / 3) + 0.5 * (0.5 * np.log2(2 / 3) + 0.5)
    assert js_distance({"a": 1.0}, {"a": 0.5, "b": 0.5}) == pytest.approx(np.sqrt(divergence))


@given(SHARES, SHARES)
def test_js_distance_is_symmetric_and_between_zero_and_one(first, second):
    distance = js_distance(first, second)
    assert 0.0 <= distance <= 1.0
    assert distance == pytest.approx(js_distance(second, first), abs=1e-9)


@given(SHARES)
def test_js_distance_to_itself_is_zero(shares):
    assert js_distance(shares, shares) == pytest.approx(0.0, abs=1e-6)


def test_psi_agrees_with_a_hand_computed_case():
    # Two bins around the median 1.5 hold halves of the reference and (1/4, 3/4) of today.
    expected = 0.25 * np.log(1.5) - 0.25 * np.log(0.5)
    found = psi(np.array([1.0, 2, 2, 2]), np.array([1.0, 1, 2, 2]), bins=2)
    assert found == pytest.approx(expected)


@given(st.floats(-50, 50), st.floats(0.1, 10))
def test_a_shift_is_measured_in_deviations_of_the_reference(shift, width):
    reference = np.linspace(0, width, 101)
    found = wasserstein_normed(reference + shift, reference)
    assert found == pytest.approx(abs(shift) / reference.std(), rel=1e-6, abs=1e-9)


def test_a_moved_constant_shows_and_missing_values_do_not():
    assert wasserstein_normed(np.full(5, 3.0), np.full(5, 1.0)) == pytest.approx(2.0)
    assert wasserstein_normed(np.array([1.0, np.nan]), np.array([1.0, 1.0])) == 0.0
    assert wasserstein_normed(np.array([np.nan]), np.array([1.0])) == 0.0
    assert null_share(np.array([1.0, np.nan])) == 0.5


def test_cosine_of_a_vector_without_length_is_zero():
    assert cosine(np.zeros(2), np.ones(2)) == 0.0
    assert cosine(np.array([1.0, 0.0]), np.array([1.0, 1.0])) == pytest.approx(np.sqrt(0.5))


def test_sampling_noise_is_what_two_samples_of_one_distribution_show():
    rng = np.random.default_rng(0)
    names = "abcdefgh"
    draws = rng.multinomial(500, np.full(8, 1 / 8), size=(200, 2)) / 500
    squares = [
        js_distance(dict(zip(names, one, strict=True)), dict(zip(names, two, strict=True))) ** 2
        for one, two in draws
    ]
    assert sampling_noise(8, 500, 500) == pytest.approx(np.sqrt(np.mean(squares)), rel=0.1)
