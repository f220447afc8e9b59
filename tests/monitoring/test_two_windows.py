"""`act` needs two windows and two quiet weeks; a break of the data needs neither."""

from datetime import date, timedelta

import pytest

from monitoring.areas import ReportTarget, Statistic, Verdict
from monitoring.profile import Profile, daily_profiles, head_tracks
from monitoring.reports import history, level_before, write_report
from monitoring.statistics import statistics
from monitoring.verdict import FIRST_WINDOW, judge

DAY = date(2026, 3, 30)


def drifted(severity=Verdict.ACT, is_break=False):
    return [
        Statistic(
            "score", 3.0, 1.0, "score_drift", severity, "scores moved", 3.0, 0.0, "", is_break
        )
    ]


def test_one_drifted_window_is_watch_and_says_so_and_two_running_are_act():
    first = judge(drifted(), before=Verdict.OK, quiet_days=28)
    assert (first.verdict, first.level) == (Verdict.WATCH, Verdict.ACT)
    assert FIRST_WINDOW in first.reasons
    assert judge(drifted(), before=None, quiet_days=28).verdict is Verdict.WATCH
    assert judge(drifted(), before=Verdict.WATCH, quiet_days=28).verdict is Verdict.WATCH
    second = judge(drifted(), before=first.level, quiet_days=28)
    assert second.verdict is Verdict.ACT
    assert FIRST_WINDOW not in second.reasons


def test_under_two_quiet_weeks_a_verdict_is_at_most_watch_and_says_so():
    short = judge(drifted(), before=Verdict.ACT, quiet_days=13)
    assert short.verdict is Verdict.WATCH
    assert "at most `watch`: the reference has 13 quiet days" in " ".join(short.reasons)
    assert judge(drifted(), before=Verdict.ACT, quiet_days=14).verdict is Verdict.ACT


def test_a_break_of_the_data_is_act_at_once_even_under_two_weeks():
    for days in (3, 28):
        assert judge(drifted(is_break=True), before=None, quiet_days=days).verdict is Verdict.ACT
    merely = judge(drifted(Verdict.WATCH, is_break=True), before=Verdict.ACT, quiet_days=28)
    assert merely.verdict is Verdict.WATCH


def test_windows_are_counted_over_written_reports_and_a_quiet_one_begins_anew(tmp_path):
    target = ReportTarget(tmp_path, None, "m1")

    def written(number, severity):
        day = DAY + timedelta(days=number)
        report = write_report("score_drift", day, None, drifted(severity), target, quiet_days=28)
        return report.verdict.value

    days = [Verdict.ACT, Verdict.ACT, Verdict.OK, Verdict.ACT, Verdict.ACT, Verdict.ACT]
    found = [written(number, severity) for number, severity in enumerate(days)]
    assert found == ["watch", "act", "ok", "watch", "act", "act"]
    # A day written again reads the days before it, not itself.
    assert written(3, Verdict.ACT) == "watch"


def test_a_first_window_of_an_incident_is_no_history(tmp_path):
    target = ReportTarget(tmp_path, None, "m1")
    for number, severity in enumerate((Verdict.OK, Verdict.WATCH, Verdict.ACT)):
        day = DAY + timedelta(days=number)
        write_report("score_drift", day, None, drifted(severity), target, quiet_days=28)
    after = DAY + timedelta(days=9)
    assert [one.day for one in history(tmp_path, "score_drift", after)] == [
        DAY,
        DAY + timedelta(days=1),
    ]
    assert level_before(tmp_path, "score_drift", after) is Verdict.ACT
    assert level_before(tmp_path, "score_drift", DAY) is None


def test_a_window_nobody_judged_neither_breaks_the_run_nor_counts_as_quiet(tmp_path):
    target = ReportTarget(tmp_path, None, "m1")

    def written(number, statistics):
        day = DAY + timedelta(days=number)
        return write_report("score_drift", day, None, statistics, target, quiet_days=28)

    assert written(0, drifted()).verdict is Verdict.WATCH
    assert written(1, ()).status == "not_enough"
    assert written(2, drifted()).verdict is Verdict.ACT
    written(3, drifted(Verdict.OK))
    after = DAY + timedelta(days=9)
    assert [one.day for one in history(tmp_path, "score_drift", after)] == [DAY + timedelta(days=3)]


def test_without_a_judged_window_there_is_none_before(tmp_path):
    write_report("score_drift", DAY, None, (), ReportTarget(tmp_path, None, "m1"))
    assert level_before(tmp_path, "score_drift", DAY + timedelta(days=1)) is None


def test_first_days_with_figures_and_nothing_to_judge_them_by_become_what_is_usual(tmp_path):
    target = ReportTarget(tmp_path, None, "m1")
    write_report("ranking_quality", DAY, None, (), target, {"listens": 90.0, "ndcg_at_10": 0.2})
    assert len(history(tmp_path, "ranking_quality", DAY + timedelta(days=1))) == 1


@pytest.fixture(scope="module")
def week(reference):
    """Five quiet days: under a week of reference."""
    return daily_profiles(reference, head_tracks(reference))[:5]


def changed(profile, numbers):
    return Profile(DAY, profile.numbers | numbers, profile.shares)


def test_few_days_cap_a_change_of_use_and_not_a_fault_of_the_data(week):
    usual = week[2]
    use = statistics(changed(usual, {"skip_share": 0.9}), week)
    fault = statistics(changed(usual, {"late_share": 0.9}), week)
    assert judge(use, before=Verdict.ACT, quiet_days=len(week)).verdict is Verdict.WATCH
    assert judge(fault, before=None, quiet_days=len(week)).verdict is Verdict.ACT
