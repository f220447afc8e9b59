"""Coverage, concentration, novelty, diversity, serendipity, calibration and repeats by hand."""

import numpy as np
import pytest

from ml.evaluation.beyond import coverage, exposure, exposure_gini, gini
from ml.evaluation.calibration import (
    ALPHA,
    distribution,
    membership,
    miscalibration,
    shared_membership,
)
from ml.evaluation.metrics import Lists, Truth
from ml.evaluation.repeats import heard_before, shown_repeats, wanted_repeats
from ml.evaluation.surprise import above_popularity, novelty, serendipity, surprisal, unexpected
from ml.evaluation.variety import intra_list_diversity

I32 = np.int32
# Two lists of two; nothing is shown to request 2.
SHOWN = Lists(*np.array([(0, 0, 1), (0, 1, 2), (1, 0, 1), (1, 2, 2)], I32).T)
WANTED = Truth(*np.array([(0, 1), (1, 0), (2, 3)], I32).T, np.ones(3, np.int8), 4)


def test_coverage_counts_each_track_once() -> None:
    assert coverage(SHOWN, 4) == 0.75


def test_gini_is_zero_for_equal_and_near_one_for_single_exposure() -> None:
    assert gini(np.array([5, 5, 5])) == 0.0
    assert gini(np.array([0, 0, 0, 9])) == 0.75


def test_exposure_gini_of_artists_counts_those_who_are_never_shown() -> None:
    artist = np.array([0, 0, 1, -1], I32)
    assert exposure(SHOWN, artist, 3).tolist() == [3.0, 1.0, 0.0]
    # Sorted 0, 1, 3: (-2 x 0 + 0 x 1 + 2 x 3) / (3 x 4).
    assert exposure_gini(SHOWN, artist, 3) == pytest.approx(0.5)


def test_discounted_exposure_falls_with_the_rank() -> None:
    weight = exposure(SHOWN, np.array([0, 1, 2, 3], I32), 4, discounted=True)
    assert weight.tolist() == pytest.approx([2.0, 1 / np.log2(3), 1 / np.log2(3), 0.0])


def test_novelty_is_the_mean_surprisal_of_a_list() -> None:
    bits = surprisal(np.array([3, 1, 1, 0], np.uint32))  # shares 4, 2, 2 and 1 of 9
    assert bits[0] == pytest.approx(np.log2(9 / 4))
    found = novelty(SHOWN, bits, 3)
    assert found[0] == pytest.approx((np.log2(9 / 4) + np.log2(9 / 2)) / 2)
    assert np.isnan(found[2])


def test_serendipity_is_what_is_relevant_and_not_in_the_simple_list() -> None:
    simple = Lists(*np.array([(0, 0, 1), (1, 0, 1), (1, 1, 2)], I32).T)
    surprise = unexpected(SHOWN, simple)
    assert surprise.tolist() == [0.0, 1.0, 0.0, 1.0]
    found = serendipity(SHOWN, WANTED, surprise)
    assert found[:3].tolist() == [0.5, 0.0, 0.0]
    assert np.isnan(found[3])


def test_a_popular_track_at_its_own_place_is_no_surprise() -> None:
    streams = np.array([8, 4, 4, 0])
    # Popularity ranks 1, 2, 2 and none of 4 tracks; track 1 at 2 as expected, track 3 at 1 is above all.
    shown = Lists(*np.array([(0, 0, 1), (0, 1, 2), (1, 3, 1), (1, 2, 2)], I32).T)
    assert above_popularity(shown, streams).tolist() == [0.0, 0.0, 1.0, 0.0]


def test_diversity_is_one_less_the_cosine_of_a_pair() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8], [0, 0]], np.float32)
    assert intra_list_diversity(SHOWN, vectors, 3)[:2].tolist() == pytest.approx([1.0, 0.4])


def test_tracks_without_a_vector_make_no_list_diverse() -> None:
    vectors = np.array([[1, 0], [0, 0], [1, 0]], np.float32)
    found = intra_list_diversity(SHOWN, vectors, 3)
    assert np.isnan(found[[0, 2]]).all()
    assert found[1] == pytest.approx(0.0)


def test_a_track_of_two_genres_counts_half_for_each() -> None:
    member = shared_membership(np.array([0, 2, 3, 3]), np.array([0, 1, 1]), 2)
    every = distribution(
        np.array([0, 0, 1]), np.array([0, 1, 2]), np.array([1.0, 3.0, 1.0]), member, 2
    )
    assert every[0].tolist() == pytest.approx([0.5 / 4, 3.5 / 4])
    assert np.isnan(every[1]).all()


def test_miscalibration_by_hand() -> None:
    member = membership(np.array([0, 0, 1, -1]), 2)
    profile = np.array([[0.5, 0.5], [0.5, 0.5], [1.0, 0.0]])
    weight = np.ones(4)
    shown = distribution(SHOWN.request, SHOWN.track, weight, member, 3)
    assert shown[:2].tolist() == [[1.0, 0.0], [0.5, 0.5]]
    found = miscalibration(profile, shown)
    expected = 0.5 * np.log(0.5 / (0.99 + 0.005)) + 0.5 * np.log(0.5 / 0.005)
    assert found[:2].tolist() == pytest.approx([expected, 0.0])
    assert np.isnan(found[2])


def test_a_list_of_other_genres_is_as_far_from_the_profile_as_alpha_lets_it() -> None:
    apart = miscalibration(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]))
    assert apart[0] == pytest.approx(-np.log(ALPHA))


def test_repeats_are_what_the_listener_and_not_another_heard() -> None:
    listener = np.array([7, 7, 8, 8, -1], I32)
    track = np.array([0, 1, 0, 1, 0], I32)
    past = np.array([7, 7, 8], I32), np.array([0, 0, 1], I32)
    heard = heard_before(listener, track, *past)
    assert heard.tolist() == [True, False, False, True, False]


def test_shares_of_repeats_shown_and_wanted() -> None:
    shown = shown_repeats(SHOWN, np.array([True, False, True, True]), 3)
    assert shown[:2].tolist() == [0.5, 1.0]
    assert np.isnan(shown[2])
    wanted = wanted_repeats(WANTED, np.array([True, False, False]))
    assert wanted[:3].tolist() == [1.0, 0.0, 0.0]
    assert np.isnan(wanted[3])
