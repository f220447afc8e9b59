"""Reports are open until reviewed; reviews are append-only; the sensor's rule."""

from datetime import UTC, date, datetime, timedelta

import pytest

from monitoring.areas import AreaReport, ReportTarget, Statistic, Verdict
from monitoring.reports import write_report
from monitoring.review import (
    REVIEWS,
    Decision,
    ReviewError,
    open_reports,
    prospective,
    read_reviews,
    record_review,
)
from monitoring.triggers import latest_retrain, retraining_wanted

DAY = date(2026, 3, 30)
AT = datetime(2026, 4, 1, 9, tzinfo=UTC)


def write(reports, day, area, verdict):
    size = {"ok": 0.0, "watch": 1.5, "act": 3.0}[verdict]
    statistic = Statistic("one", size, 1.0, area, Verdict(verdict), verdict, size, 0.0)
    return write_report(area, day, None, [statistic], ReportTarget(reports, None, "m1"))


@pytest.fixture
def reports(tmp_path):
    """Four reports over two days."""
    write(tmp_path, DAY, "data_quality", "act")
    write(tmp_path, DAY, "score_drift", "ok")
    write(tmp_path, DAY + timedelta(days=1), "data_quality", "watch")
    write(tmp_path, DAY + timedelta(days=1), "score_drift", "ok")
    return tmp_path


def review(reports, decision="keep", area="data_quality", day=DAY, note="seen", at=AT):
    return record_review(reports, day, area, decision, note, "ada", at)


def test_open_reports_come_worst_first_then_newest(reports):
    found = [(one.verdict.value, one.day) for one in open_reports(reports)]
    after = DAY + timedelta(days=1)
    assert found == [("act", DAY), ("watch", after), ("ok", after), ("ok", DAY)]


def test_a_reviewed_report_is_closed(reports):
    recorded = review(reports)
    assert recorded.verdict == "act"
    assert read_reviews(reports) == (recorded,)
    assert len(open_reports(reports)) == 3


def test_the_same_decision_again_adds_nothing(reports):
    first = review(reports)
    assert review(reports, note="seen again") == first
    assert len((reports / REVIEWS).read_text().splitlines()) == 1


def test_another_decision_on_a_closed_report_is_refused_and_says_what_to_run(reports):
    review(reports)
    with pytest.raises(ReviewError, match=r"closed with 'keep' by ada.*segue run train"):
        review(reports, "rollback")


def test_a_report_that_does_not_exist_cannot_be_reviewed(reports):
    with pytest.raises(ReviewError, match=r"found none for ranking_quality.*run `segue review`"):
        review(reports, area="ranking_quality")
    with pytest.raises(ReviewError, match="found none"):
        review(reports, area="../../etc")


def test_an_unknown_decision_and_a_naive_time_are_refused(reports):
    with pytest.raises(ReviewError, match="keep, retrain, rollback"):
        review(reports, "maybe")
    with pytest.raises(ReviewError, match="with a zone"):
        review(reports, at=AT.replace(tzinfo=None))
    assert read_reviews(reports) == ()


def test_a_decision_with_consequences_needs_a_reason(reports):
    for decision in ("retrain", "rollback"):
        with pytest.raises(ReviewError, match=f"why {decision}.*--decision {decision} --note WHY"):
            review(reports, decision, note=" ")
    review(reports, "keep", note="")
    assert [one.decision for one in read_reviews(reports)] == [Decision.KEEP]


def prospect(reports, decision, note="seen", at=AT):
    return prospective(reports, DAY, "data_quality", decision, note, "ada", at)


def test_a_review_to_come_is_checked_like_one_and_written_nowhere(reports):
    assert prospect(reports, "rollback").decision is Decision.ROLLBACK
    assert not (reports / REVIEWS).exists()
    with pytest.raises(ReviewError, match="keep, retrain, rollback"):
        prospect(reports, "maybe")


def test_a_review_to_come_is_the_earlier_record_of_the_same_decision(reports):
    recorded = review(reports, "keep")
    assert prospect(reports, "keep", "again", AT + timedelta(days=1)) == recorded
    with pytest.raises(ReviewError, match="a review stands"):
        prospect(reports, "retrain", "")


def test_a_note_may_hold_lines_and_any_letter(reports):
    note = 'two\nlines, "quotes" and ümläute }'
    review(reports, note=note)
    assert read_reviews(reports)[0].note == note


def test_a_line_cut_short_by_a_killed_process_harms_nothing(reports):
    review(reports)
    with (reports / REVIEWS).open("a") as file:
        file.write('{"area": "score_dri')
    review(reports, area="score_drift")
    assert [one.area for one in read_reviews(reports)] == ["data_quality", "score_drift"]


def reported(day, verdict="act", area="score_drift"):
    number = DAY + timedelta(days=day)
    verdict = Verdict(verdict)
    return AreaReport(area, number, verdict, "judged", (), {}, "m1", None, None, 1)


def reviewed(reports, decision, area="score_drift"):
    write(reports, DAY, area, "act")
    return record_review(reports, DAY, area, decision, "why", "ada", AT)


def test_a_report_that_says_act_asks_for_a_training_and_the_first_one_is_the_reason():
    wanted = retraining_wanted([reported(1), reported(0, area="feature_drift")], (), None)
    assert wanted == "Feature drift of 2026-03-30 said act"


@pytest.mark.parametrize(
    "reports", [[], [reported(0, "watch")], [reported(0, area="data_quality")]]
)
def test_less_than_that_or_a_fault_of_the_data_asks_for_none(reports):
    assert retraining_wanted(reports, (), None) is None


def test_a_model_is_given_three_days_before_reports_ask_for_the_next():
    assert retraining_wanted([reported(2)], (), DAY) is None
    assert retraining_wanted([reported(3)], (), DAY) is not None


def test_a_report_that_is_kept_quiets_its_area_for_three_days_and_no_other(tmp_path):
    keep = reviewed(tmp_path, "keep")
    assert retraining_wanted([reported(0), reported(2)], [keep], None) is None
    assert retraining_wanted([reported(3)], [keep], None) is not None
    assert retraining_wanted([reported(-1)], [keep], None) is not None
    assert retraining_wanted([reported(1, area="feature_drift")], [keep], None) is not None


def test_a_review_to_retrain_asks_once(tmp_path):
    retrain = reviewed(tmp_path / "a", "retrain")
    assert retrain.decision is Decision.RETRAIN
    assert "ada decided to retrain" in retraining_wanted([], [retrain], None)
    assert latest_retrain([retrain], None) == retrain
    assert latest_retrain([retrain], DAY) is None
    assert retraining_wanted([], [retrain], DAY) is None
