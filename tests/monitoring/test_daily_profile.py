"""The daily profile: counted by hand, and thresholds from quiet days."""

import json
from datetime import date, timedelta

import numpy as np
import pytest

from monitoring.areas import Verdict
from monitoring.profile import daily_profiles, head_tracks
from monitoring.thresholds import Threshold, calibrated, comparable

DAY = date(2026, 3, 2)
START = int(np.datetime64(DAY, "s").astype(np.int64))


@pytest.fixture
def four_listens(listens_of):
    """Listener 0 plays track 0 twice in the same second and track 1; listener 1 plays track 0, a
    day late."""
    return listens_of(
        {
            "user": np.array([0, 0, 0, 1]),
            "track": np.array([0, 0, 1, 0]),
            "played": np.array([START, START, START + 3600, START - 3600]),
            "known": np.full(4, START + 7200),
            "ms": np.array([10_000.0, 60_000.0, 90_000.0, 120_000.0]),
            "surface": np.array(["home", "home", "search", "radio"]),
            "first": np.array([True, False, True, True]),
        }
    )


def test_a_day_is_counted_as_by_hand(four_listens):
    (profile,) = daily_profiles(four_listens, ("t0", "t9"), {"t0": "rock", "t1": "jazz"})
    numbers = profile.numbers
    assert profile.day == DAY
    assert (numbers["listens"], numbers["listeners"], numbers["tracks_played"]) == (4, 2, 2)
    assert numbers["skip_share"] == 0.25
    assert numbers["late_share"] == 0.25
    assert numbers["duplicate_share"] == 0.25
    assert numbers["plays_per_listener_max"] == 3
    assert numbers["silent_head_share"] == 0.5
    assert numbers["requested_share"] == 0.5
    assert numbers["ms_played_p50"] == 75_000
    assert profile.shares["surface"] == {"home": 0.5, "search": 0.25, "radio": 0.25}
    assert profile.shares["genre"] == {"rock": 0.75, "jazz": 0.25}
    assert profile.shares["hour"] == {"00": 0.5, "01": 0.25, "23": 0.25}


def test_a_day_without_listens_has_a_profile_of_zeros_that_is_json(four_listens):
    empty, full = daily_profiles(four_listens, days=(DAY - timedelta(days=1), DAY))
    assert empty.listens == 0
    assert full.listens == 4
    assert json.loads(json.dumps(empty.numbers, allow_nan=False)) == empty.numbers


def test_the_head_is_the_most_played_with_ties_by_id(four_listens):
    assert head_tracks(four_listens, 1) == ("t0",)
    assert head_tracks(four_listens) == ("t0", "t1")


def test_a_weekday_is_compared_with_its_like_from_two_weeks_on():
    two_weeks = [day % 7 for day in range(14)]
    assert comparable(two_weeks, 3) == [3, 10]
    assert comparable(two_weeks[:13], 3) == list(range(13))


def test_a_threshold_is_the_noise_of_quiet_days_but_never_below_its_floor():
    # median 2, median deviation 1: 2 + 4 x 1.4826
    quiet = np.array([1.0, 1.0, 2.0, 3.0, 3.0])
    assert calibrated(quiet, 0.5, 28).watch == pytest.approx(2 + 4 * 1.4826)
    assert calibrated(np.zeros(5), 0.5, 28) == Threshold(0.5, 1.0)
    assert calibrated(quiet, 0.5, 5).watch == pytest.approx(1.5 * (2 + 4 * 1.4826))


def test_the_limits_themselves_are_still_quiet():
    threshold = Threshold(1.0, 2.0)
    found = [threshold.severity(value) for value in (1.0, 1.5, 2.0, 2.5)]
    assert found == [Verdict.OK, Verdict.WATCH, Verdict.WATCH, Verdict.ACT]
