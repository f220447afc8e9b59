"""Limits come from what quiet days show, are kept beside the champion, and know the weekday."""

import json
from datetime import date, timedelta

import numpy as np
import pytest

from monitoring.areas import Verdict
from monitoring.calibration import Calibration, calibrate, facts, kept
from monitoring.data_quality import calibration_of
from monitoring.drift import Distance, judged
from monitoring.measures import DATA_QUALITY, Comparison, Measure, Panel
from monitoring.profile import Profile, daily_profiles, head_tracks, resampled_profiles
from monitoring.statistics import statistics
from monitoring.thresholds import ACT_ONCE_IN, WATCH_ONCE_IN, Limits, limits_of

MONDAY = date(2026, 3, 2)
PANEL = Panel("data_quality", (Measure("skip_share", Comparison.DIFFERENCE, 0.05, "skips", "%"),))


def day(number, skips, listens=100.0):
    return Profile(MONDAY + timedelta(days=number), {"listens": listens, "skip_share": skips}, {})


def weeks(count, width, seed=0):
    """Quiet days whose skips vary by `width`, and stand ten points higher at weekends."""
    noise = np.random.default_rng(seed).normal(0, width, 7 * count)
    return [day(n, 0.2 + 0.1 * (n % 7 >= 5) + noise[n]) for n in range(7 * count)]


def verdict(profile, reference, calibration=None):
    return statistics(profile, reference, PANEL, calibration)[0].severity


def test_limits_are_the_quantiles_of_a_gumbel_with_the_mean_and_spread_found():
    largest = np.random.default_rng(0).gumbel(3.0, 0.5, 200_000)
    limits = limits_of(largest)
    assert limits.watch == pytest.approx(3.0 + 0.5 * np.log(WATCH_ONCE_IN), rel=0.01)
    assert limits_of(largest / 3).act == pytest.approx(2 * limits.watch / 3)
    wide = np.random.default_rng(0).gumbel(1.0, 5.0, 200_000)
    assert limits_of(wide).watch == pytest.approx(1.0 + 5.0 * np.log(WATCH_ONCE_IN), rel=0.02)
    assert limits_of(wide).act >= 1.0 + 5.0 * np.log(ACT_ONCE_IN) * 0.98


def test_a_perfectly_regular_reference_leaves_the_floors_alone():
    assert limits_of(np.zeros(28)) == Limits(1.0, 2.0)
    assert limits_of(np.zeros(2)) == Limits(1.0, 2.0)
    assert calibrate(weeks(4, 0.0), PANEL).scales == {"skip_share": 0.05}


def test_the_rhythm_of_the_week_does_not_alarm_and_a_weekend_on_a_monday_does():
    reference = weeks(4, 0.005)
    quiet = [verdict(day(28 + n, 0.3 if n % 7 >= 5 else 0.2), reference) for n in range(7)]
    assert quiet == [Verdict.OK] * 7
    assert verdict(day(28, 0.3), reference) is Verdict.WATCH


def test_restless_weeks_raise_the_limits_and_the_same_day_is_quiet():
    strange = day(28, 0.3)
    assert verdict(strange, weeks(4, 0.005)) is Verdict.WATCH
    assert verdict(strange, weeks(4, 0.05)) is Verdict.OK


def test_resampled_days_widen_the_null_and_only_ever_raise_the_limits():
    reference = weeks(4, 0.02)
    drawn = [day(n % 28, 0.2 + 0.1 * (n % 7 >= 5) + 0.15 * (n % 3 - 1)) for n in range(224)]
    alone, more = calibrate(reference, PANEL), calibrate(reference, PANEL, drawn)
    assert (alone.draws, more.draws) == (0, 224)
    assert more.limits.watch > alone.limits.watch
    assert more.limits.act > alone.limits.act
    assert more.scales == alone.scales


def test_listeners_are_drawn_whole_and_one_drawn_twice_counts_as_two(quiet_day, listens_of):
    lonely = listens_of(
        {name: rows[:6] for name, rows in quiet_day(0).items()} | {"user": np.zeros(6)}
    )
    (real,) = daily_profiles(lonely, ())
    assert set(map(str, resampled_profiles(lonely, (), 3, 7))) == {str(real)}
    table = listens_of(quiet_day(0, listeners=40))
    (real,) = daily_profiles(table)
    drawn = resampled_profiles(table, (), 20, 7)
    assert {one.numbers["listeners"] for one in drawn} == {real.numbers["listeners"]}
    assert len({one.listens for one in drawn}) > 10
    assert abs(np.mean([one.listens for one in drawn]) / real.listens - 1) < 0.1


def test_the_same_seed_draws_the_same_days_and_another_draws_others(quiet_day, listens_of):
    table = listens_of(quiet_day(0, listeners=40))
    first, again, other = (resampled_profiles(table, (), 2, seed) for seed in (1, 1, 2))
    assert str(first) == str(again)
    assert str(first) != str(other)


def test_a_days_listens_calibrate_data_quality_with_eight_draws_a_day(reference):
    head = head_tracks(reference)
    days = daily_profiles(reference, head)
    found = calibration_of(reference.slice(0, 20_000), days[:8], head, 0)
    assert found.days == 8
    assert found.draws == 8 * 8
    assert set(found.scales) >= {"listens", "surface", "hour", "late_share"}
    assert list(found.null) == sorted(found.null)


def test_a_calibration_is_kept_and_computed_anew_only_when_what_it_rests_on_changes(tmp_path):
    path, made = tmp_path / "aaa" / "data_quality.json", []

    def make():
        made.append(1)
        return Calibration({"listens": 0.3}, Limits(1.2, 2.4), 28, 224, (0.4, 0.7, 1.0, 1.1))

    weeks_of = (MONDAY, MONDAY + timedelta(days=28))
    known = facts(DATA_QUALITY, weeks_of, 0)
    assert kept(path, known, make) == kept(path, known, make) == make()
    assert len(made) == 2
    written = path.read_bytes()
    kept(path, facts(DATA_QUALITY, weeks_of, 1), make)
    assert len(made) == 3
    assert json.loads(path.read_text())["facts"]["seed"] == 1
    kept(path, known, make)
    assert path.read_bytes() == written
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize("damage", ["", '{"facts": ', "{}", "null", "\xff", "only facts"])
def test_a_damaged_calibration_is_computed_and_stored_anew(tmp_path, damage):
    path, found = tmp_path / "data_quality.json", Calibration({"listens": 0.3}, Limits(), 28, 224)
    known = facts(DATA_QUALITY, (MONDAY, MONDAY + timedelta(days=28)), 0)
    path.write_text(json.dumps({"facts": known}) if damage == "only facts" else damage, "latin-1")
    assert kept(path, known, lambda: found) == found
    assert json.loads(path.read_text())["scales"] == {"listens": 0.3}


@pytest.mark.parametrize(
    "constant", ["SIGMAS", "ACT_FACTOR", "SHORT_REFERENCE_FACTOR", "MOST_RESAMPLED"]
)
def test_a_calibration_of_another_method_is_computed_anew(tmp_path, monkeypatch, constant):
    weeks_of, made = (MONDAY, MONDAY + timedelta(days=28)), []

    def make():
        made.append(1)
        return Calibration({}, Limits(), 28, 224)

    path = tmp_path / "data_quality.json"
    kept(path, facts(DATA_QUALITY, weeks_of, 0), make)
    monkeypatch.setattr(f"monitoring.calibration.{constant}", 7)
    kept(path, facts(DATA_QUALITY, weeks_of, 0), make)
    assert len(made) == 2


def apart(number, score, spread=0.1):
    """A day's distances to training, as the report keeps them."""
    day_of = MONDAY + timedelta(days=number)
    return Profile(day_of, {"score.effect": score, "score_spread.effect": spread}, {})


def judged_on(number, score, history, spread=0.1):
    distances = [
        Distance("score", score, 0.25, "scores", score, 0.0),
        Distance("score_spread", spread, 0.35, "spread", spread, 0.0),
    ]
    found = judged(distances, history, "score_drift", MONDAY + timedelta(days=number))
    return [one.severity for one in found]


def test_a_distance_that_belongs_to_the_weekend_is_news_on_a_monday_only():
    rng = np.random.default_rng(2)
    history = [apart(n, (0.6 if n % 7 >= 5 else 0.1) + rng.normal(0, 0.01)) for n in range(28)]
    assert judged_on(33, 0.62, history)[0] is Verdict.OK
    assert judged_on(28, 0.62, history)[0] is Verdict.WATCH


def test_two_weeks_of_restless_distances_raise_the_limits_of_their_area():
    rng = np.random.default_rng(3)
    restless = [apart(n, abs(rng.normal(0.2, 0.2)), 0.3) for n in range(28)]
    assert judged_on(28, 0.4, restless)[0] is Verdict.OK
    assert judged_on(28, 0.4, [apart(n, 0.1) for n in range(28)])[0] is Verdict.WATCH


def test_a_measure_that_earlier_days_lack_is_judged_by_its_floor():
    history = [Profile(MONDAY + timedelta(days=n), {"score.effect": 0.4}, {}) for n in range(20)]
    assert judged_on(20, 0.42, history, spread=0.36) == [Verdict.WATCH, Verdict.WATCH]
    assert judged_on(20, 0.39, history, spread=0.34) == [Verdict.OK, Verdict.OK]
