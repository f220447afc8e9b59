"""Quiet days stay quiet; every incident is flagged under its right name."""

from datetime import date

import numpy as np
import pytest

from monitoring.areas import Statistic, Verdict
from monitoring.profile import Profile, daily_profiles, head_tracks
from monitoring.statistics import reference_notes, statistics
from monitoring.suspects import first_suspect
from monitoring.verdict import judge

INCIDENT_DAY = 29


@pytest.fixture(scope="module")
def head(reference):
    return head_tracks(reference)


@pytest.fixture(scope="module")
def days(reference, head):
    return daily_profiles(reference, head)


@pytest.fixture(scope="module")
def verdict_on(listens_of, head, days):
    """Judges a day's columns; gives the verdict and the raised statistics by name."""

    def judged(columns):
        found = statistics(daily_profiles(listens_of(columns), head)[0], days)
        raised = {one.name: one for one in found if one.severity is not Verdict.OK}
        return judge(found), raised

    return judged


def kept(columns, rows):
    return {name: values[rows] for name, values in columns.items()}


def unit_bug(columns):
    return columns | {"ms": columns["ms"] / 1000}


def missing_surface(columns):
    return kept(columns, columns["surface"] != "radio")


def nearly_missing_surface(columns):
    """A handful of late listens still carry the surface."""
    gone = (columns["surface"] == "radio") & (np.arange(len(columns["surface"])) % 50 > 0)
    return columns | {"surface": np.where(gone, "unknown", columns["surface"])}


def unknown_surface(columns):
    surface = columns["surface"]
    return columns | {"surface": np.where(surface == "radio", "unknown", surface)}


def bot_traffic(columns):
    """Five new listeners add a fifth of the day's plays, all of one track, round the clock."""
    count = len(columns["user"]) // 5
    bots = kept(columns, np.arange(count))
    bots["user"] = 100_000 + np.arange(count) % 5
    bots["track"] = np.full(count, 3)
    bots["played"] = bots["known"] - np.arange(count) * 86_000 // count
    return {name: np.concatenate([columns[name], bots[name]]) for name in columns}


def catalogue_drop(columns):
    return kept(columns, columns["track"] % 4 > 0)


def late_data(columns):
    late = np.arange(len(columns["user"])) % 3 == 0
    return columns | {"played": np.where(late, columns["played"] - 86_400, columns["played"])}


def lost_volume(columns):
    return kept(columns, np.arange(len(columns["user"])) % 2 == 0)


@pytest.mark.parametrize("day", range(28, 35))
@pytest.mark.parametrize("seed", [1, 2])
def test_a_quiet_day_is_ok_on_every_weekday(quiet_day, verdict_on, day, seed):
    judgement, _ = verdict_on(quiet_day(day, seed))
    assert judgement.verdict is Verdict.OK, judgement.reasons


def test_every_reference_day_is_ok_against_the_others(days):
    judged = [judge(statistics(day, days)).verdict for day in days]
    assert judged.count(Verdict.OK) >= 27
    assert Verdict.ACT not in judged


@pytest.mark.parametrize(
    ("incident", "measure", "words"),
    [
        (unit_bug, "ms_played_p50", "seconds where milliseconds belong"),
        (missing_surface, "surface", "surface radio is missing"),
        (nearly_missing_surface, "surface", "surface radio is missing: 0."),
        (unknown_surface, "surface", "unknown"),
        (bot_traffic, "busiest_listeners_share", "ten busiest listeners"),
        (bot_traffic, "round_the_clock_share", "18 hours or more"),
        (catalogue_drop, "silent_head_share", "top tracks never played"),
        (late_data, "late_share", "known a day late"),
    ],
)
def test_an_incident_asks_for_action_under_its_name(
    quiet_day, verdict_on, incident, measure, words
):
    judgement, raised = verdict_on(incident(quiet_day(INCIDENT_DAY)))
    assert judgement.verdict is Verdict.ACT
    assert raised[measure].severity is Verdict.ACT
    assert words in raised[measure].explanation
    assert any(one.endswith(raised[measure].explanation) for one in judgement.reasons)


def test_half_the_volume_is_noticed(quiet_day, verdict_on):
    judgement, raised = verdict_on(lost_volume(quiet_day(INCIDENT_DAY)))
    assert judgement.verdict is not Verdict.OK
    assert "listens" in raised


def test_a_day_without_listens_asks_for_action(days, head, listens_of, quiet_day):
    table = listens_of(quiet_day(29))
    (empty,) = daily_profiles(table.slice(0, 0), head, days=(date(2026, 3, 31),))
    found = {one.name: one for one in statistics(empty, days)}
    assert found["listens"].severity is Verdict.ACT
    assert set(found) == {"listens", "listeners", "sessions"}
    judgement = judge(tuple(found.values()), quiet_days=28)
    assert judgement.verdict is Verdict.ACT
    assert judgement.reasons[0].startswith("data fault, source: missing listens")
    assert first_suspect(tuple(found.values())).what == "source: missing listens"


def test_two_reference_days_are_not_enough_and_ten_are_said_to_be_few(days):
    assert statistics(days[10], days[:2]) == ()
    assert "not enough reference days: 2" in reference_notes(days[:2])[0]
    assert "only 10 reference days" in reference_notes(days[:10])[0]
    assert reference_notes(days) == ()


def test_without_statistics_the_verdict_is_watch_and_says_not_enough():
    judgement = judge(())
    assert (judgement.verdict, judgement.status) == (Verdict.WATCH, "not_enough")
    assert "not enough" in judgement.reasons[0]


def test_reasons_come_worst_first_and_furthest_beyond_the_threshold_first():
    def one(name, value, severity):
        return Statistic(name, value, 1.0, "score_drift", severity, name, value, 0.0)

    judgement = judge(
        [
            one("quiet", 0.5, Verdict.OK),
            one("watched", 1.9, Verdict.WATCH),
            one("acted", 2.1, Verdict.ACT),
            one("acted_more", 9.0, Verdict.ACT),
        ],
        ["a note"],
    )
    assert judgement.verdict is Verdict.ACT
    told = tuple(f"the model, scores: {one}" for one in ("acted_more", "acted", "watched"))
    assert judgement.reasons == (*told, "a note")


def test_a_fall_alarms_and_a_rise_of_quality_does_not():
    from monitoring.measures import Panel
    from monitoring.ranking_quality import MEASURES

    panel = Panel("ranking_quality", MEASURES[:1])

    def day(number, ndcg):
        return Profile(date(2026, 3, number), {"listens": 1.0, "ndcg_at_10": ndcg}, {})

    history = [day(number, 0.2 + 0.001 * number) for number in range(1, 7)]
    fallen, risen = (statistics(day(9, ndcg), history, panel)[0] for ndcg in (0.1, 0.4))
    assert fallen.severity is Verdict.ACT
    assert risen.severity is Verdict.OK
