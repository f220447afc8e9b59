"""The right suspect is named first: the column, the surface, the source, or taste."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from monitoring import feature_drift
from monitoring.areas import Statistic, Verdict
from monitoring.profile import Profile, daily_profiles, head_tracks
from monitoring.statistics import statistics
from monitoring.suspects import Kind, first_suspect, suspect_of
from monitoring.verdict import judge

DAY = date(2026, 3, 31)


@pytest.fixture(scope="module")
def days(reference):
    return daily_profiles(reference, head_tracks(reference))


def changed(profile, numbers=None, shares=None):
    return Profile(DAY, profile.numbers | (numbers or {}), profile.shares | (shares or {}))


def told(name, area, excess, of=""):
    severity = Verdict.ACT if excess > 2 else Verdict.WATCH
    return Statistic(name, excess, 1.0, area, severity, name, excess, 0.0, of)


def test_a_quiet_day_has_no_suspect(days):
    assert first_suspect(statistics(days[22], days)) is None
    assert first_suspect(()) is None


def test_wrong_units_name_the_column_before_the_skips_that_follow_from_them(days):
    quiet = days[22].numbers
    short = {name: quiet[name] / 1000 for name in quiet if name.startswith("ms_played_p")}
    found = statistics(changed(days[22], short | {"skip_share": 1.0}), days)
    assert first_suspect(found).what == "column ms_played"
    assert judge(found).reasons[0].startswith("data fault, column ms_played: ms_played, 90th")


def test_a_lost_surface_is_named(days):
    shares = dict(days[22].shares["surface"])
    shares["unknown"] = shares.pop("home")
    found = statistics(changed(days[22], shares={"surface": shares}), days)
    assert first_suspect(found).what == "surface home"
    assert judge(found).reasons[0].startswith("data fault, surface home: surface home is missing")


@pytest.mark.parametrize(
    ("measure", "value", "what"),
    [
        ("late_share", 0.4, "source: late arrivals"),
        ("round_the_clock_share", 0.3, "source: a few accounts"),
        ("silent_head_share", 0.5, "source: the catalogue"),
        ("duplicate_share", 0.2, "source: repeated rows"),
        ("no_artist_share", 0.5, "column artist_id"),
    ],
)
def test_a_sign_names_its_source(days, measure, value, what):
    found = statistics(changed(days[22], {measure: value}), days)
    assert first_suspect(found).what == what
    assert first_suspect(found).kind is Kind.DATA


def test_a_shifted_feature_names_itself():
    rng = np.random.default_rng(0)
    then = pa.table({name: rng.normal(size=2000) for name in ("age", "plays", "skips")})
    today = then.set_column(1, "plays", pa.array(then["plays"].to_numpy() + 1.5))
    found = feature_drift.drift_of(today, then, {"age": 0.2, "plays": 0.7, "skips": 0.1}, (), DAY)
    assert {suspect_of(one).what for one in found if one.severity is not Verdict.OK} == {
        "feature plays"
    }
    assert first_suspect(found).kind is Kind.INPUTS


def test_gain_decides_how_much_a_shift_of_inputs_weighs():
    rng = np.random.default_rng(0)
    then = pa.table({name: rng.normal(size=2000) for name in ("age", "plays")})
    today = then.set_column(1, "plays", pa.array(then["plays"].to_numpy() + 1.0))

    def weighted(gain):
        found = feature_drift.drift_of(today, then, gain, (), DAY)
        return next(one for one in found if one.name == "gain_weighted_shift")

    assert weighted({"age": 9.0, "plays": 1.0}).value == pytest.approx(0.1, abs=0.01)
    assert weighted({"age": 1.0, "plays": 9.0}).value == pytest.approx(0.9, abs=0.05)
    assert weighted({"age": 9.0, "plays": 1.0}).severity is Verdict.OK


def test_a_fault_of_the_data_is_suspected_before_the_taste_that_seems_to_change_with_it():
    taste, fault = (
        told("own_taste_cosine", "embedding_drift", 9.0),
        told("late_share", "data_quality", 1.2),
    )
    assert first_suspect([taste, fault]).kind is Kind.DATA
    assert first_suspect([taste]).kind is Kind.TASTE


def test_changed_tastes_are_suspected_before_the_use_and_the_lists_that_follow():
    found = [
        told("first_listen_share", "data_quality", 9.0),
        told("ndcg_at_10", "ranking_quality", 9.0),
        told("listens", "data_quality", 1.5),
        told("own_taste_cosine", "embedding_drift", 1.1),
    ]
    assert first_suspect(found).what == "listeners' tastes"
