"""Predicted against observed hits, and shown against recommended scores, by hand."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from monitoring.areas import ReportTarget, Verdict
from monitoring.profile import Profile
from monitoring.ranking_quality import report
from monitoring.score_calibration import (
    against_predicted,
    band_counts,
    band_edges,
    meaning_of,
    serving_skew,
)

DAY = date(2026, 3, 30)
EDGES = band_edges(np.arange(100, dtype=np.float64))


def closed_day(low, high, number=0):
    """A hundred tracks with a low score and a hundred with a high one; so many of each were hits."""
    score = np.repeat([5.0, 95.0], 100)
    is_hit = np.concatenate([np.arange(100) < low, np.arange(100) < high])
    counts = band_counts(score, is_hit, EDGES)
    return counts, Profile(DAY - timedelta(days=number), counts, {})


def test_bands_are_the_deciles_of_the_reference_and_hold_every_row():
    counts, _ = closed_day(10, 60)
    assert (counts["rows_in_band.0"], counts["rows_in_band.9"]) == (100, 100)
    assert (counts["hits_in_band.0"], counts["hits_in_band.9"]) == (10, 60)
    assert sum(one for name, one in counts.items() if name.startswith("rows")) == 200


def test_scores_that_mean_what_they_meant_have_no_error():
    past = [closed_day(10, 60, number)[1] for number in (1, 2, 3)]
    found = against_predicted(closed_day(10, 60)[0], past)
    assert found == {"calibration_error": 0.0, "calibration_ratio": 1.0}


def test_the_error_is_the_mean_distance_of_the_bands_and_the_ratio_that_of_all_hits():
    past = [closed_day(10, 60, number)[1] for number in (1, 2, 3)]
    found = against_predicted(closed_day(20, 40)[0], past)
    # Bands of equal size are 0.1 and 0.2 off; 60 hits where 70 were foretold.
    assert found["calibration_error"] == pytest.approx(0.15)
    assert found["calibration_ratio"] == pytest.approx(60 / 70)


def test_two_earlier_days_foretell_nothing():
    past = [closed_day(10, 60, number)[1] for number in (1, 2)]
    assert against_predicted(closed_day(10, 60)[0], past) == {}


def rows(*tracks):
    request, track, score = zip(*tracks, strict=True)
    return pa.table({"request_id": request, "track_id": track, "score": score})


LISTS = rows(("r1", "a", 0.9), ("r1", "b", 0.5), ("r2", "a", 0.4), ("r2", "c", 0.3))


def test_what_is_shown_as_recommended_has_no_skew():
    assert serving_skew(LISTS.slice(0, 3), LISTS) == {"skew_share": 0.0, "skew_largest": 0.0}


def test_another_score_and_a_track_the_list_does_not_hold_are_skew():
    shown = rows(("r1", "a", 0.9), ("r1", "b", 0.7), ("r2", "z", 0.4), ("r2", "c", 0.3))
    found = serving_skew(shown, LISTS)
    assert found["skew_share"] == 0.5
    assert found["skew_largest"] == pytest.approx(0.2)


def test_answers_to_other_requests_are_not_held_against_the_lists():
    assert serving_skew(rows(("elsewhere", "a", 0.1)), LISTS) == {}


def test_without_lists_of_the_model_nothing_is_claimed():
    closed = LISTS.append_column("is_hit", pa.array([True, False, False, True]))
    scores = np.linspace(0, 1, 50)
    assert meaning_of(closed.slice(0, 0), LISTS, scores, ()) == {}
    found = meaning_of(closed, LISTS, scores, ())
    assert found["skew_share"] == 0.0
    assert sum(one for name, one in found.items() if name.startswith("hits")) == 2


def test_a_window_that_is_still_open_is_not_judged(tmp_path):
    lists = pa.table({"request_id": ["r"], "user_id": ["u"], "rank": [1], "track_id": ["t"]})
    streams = pa.table({"user_id": ["u"], "track_id": ["t"]})
    target = ReportTarget(tmp_path, None, None)
    found = report(DAY, lists, streams, 10, (), (), target, open_until=DAY + timedelta(days=1))
    assert (found.verdict, found.status) == (Verdict.WATCH, "not_enough")
    assert "open until 2026-03-31" in found.reasons[0]
