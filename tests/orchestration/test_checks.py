"""Every check of the graph fails on what it is there for, and passes without it."""

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from ml.evaluation.splits import Windows
from ml.lake.report import FileReport, ImportReport
from ml.ranking.examples import Examples
from ml.ranking.run import TrainingRun, begin_run
from ml.ranking.training import SPLITS, Sampling, TrainingPlan
from ml.tables import RECOMMENDATIONS, RECOMMENDED_SURFACES, REQUESTS
from monitoring.areas import AreaReport, Verdict
from orchestration.dbt_runs import NodeResult
from orchestration.definitions import defs
from orchestration.defs.candidates.assets import roles
from orchestration.defs.dbt.assets import MANIFEST, check_results, dbt_models
from orchestration.defs.monitoring.assets import verdict_check
from orchestration.defs.ranking.assets import labels_follow
from orchestration.defs.raw.assets import few_quarantined, nothing_lost
from orchestration.defs.serving.assets import list_checks

DAY = date(2026, 3, 10)


def received(rows: int, accepted: int, known: int, quarantined: int) -> ImportReport:
    return ImportReport((FileReport("a.csv", "listens", rows, accepted, known, quarantined),))


def test_nothing_is_lost_where_every_row_went_somewhere() -> None:
    assert nothing_lost(received(10, 7, 2, 1)).passed


def test_a_row_that_went_nowhere_is_lost_and_its_file_is_named() -> None:
    check = nothing_lost(received(10, 7, 2, 0))
    assert not check.passed
    assert check.metadata["files that do not add up"].value == "a.csv"


def test_one_row_in_a_hundred_may_be_quarantined() -> None:
    assert few_quarantined(received(100, 99, 0, 1)).passed
    assert few_quarantined(ImportReport(())).passed


def test_two_rows_in_a_hundred_quarantined_are_a_warning() -> None:
    check = few_quarantined(received(100, 98, 0, 2))
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN


def recall(**marginal: float) -> pa.Table:
    return pa.table({"generator": list(marginal), "marginal": list(marginal.values())})


def test_generators_that_each_find_something_of_their_own_have_distinct_roles() -> None:
    assert roles([recall(repeat_memory=0.2, popularity=0.01)]).passed


def test_a_generator_that_adds_nothing_is_named() -> None:
    check = roles([recall(repeat_memory=0.2, popularity=0.01), recall(same_artist=0.0)])
    assert not check.passed
    assert check.metadata["adds nothing on validation"].value == "same_artist"


def training_run(folder: Path, first_label: dict[str, date]) -> TrainingRun:
    """A run with a label day a split, and one request a surface and split from the day given."""
    days = {name: DAY + timedelta(days=place) for place, name in enumerate(SPLITS)}
    windows = Windows(**{name: (day,) for name, day in days.items()})
    run = begin_run(folder, TrainingPlan(DAY + timedelta(days=3), windows, 7, Sampling()))
    for surface in RECOMMENDED_SURFACES:
        for split in SPLITS:
            day = pa.array([first_label.get(split, days[split])], pa.date32())
            requests = pa.table({"request": pa.array([0], pa.int32()), "day": day})
            Examples(pa.table({}), requests, pa.table({})).write(run.examples(surface, split))
    return run


def test_labels_from_the_day_of_the_cut_on_follow_their_candidates(tmp_path: Path) -> None:
    assert labels_follow(training_run(tmp_path, {})).passed


def test_a_label_from_before_the_cut_is_named_with_its_split(tmp_path: Path) -> None:
    check = labels_follow(training_run(tmp_path, {"test": DAY + timedelta(days=1)}))
    assert not check.passed
    assert "home test: labels from 2026-03-11" in check.metadata["too early"].value
    assert "train" not in check.metadata["too early"].value


def lists_of(*rows: tuple[str, int, str, float]) -> pa.Table:
    """Lists from (request_id, rank, track_id, score)."""
    columns: dict[str, list[object]] = {
        "request_id": [row[0] for row in rows],
        "rank": [row[1] for row in rows],
        "track_id": [row[2] for row in rows],
        "score": [row[3] for row in rows],
    }
    fields = [RECOMMENDATIONS.schema.field(name) for name in columns]
    return pa.table(columns, schema=pa.schema(fields))


def failed_lists(*rows: tuple[str, int, str, float], asked: int = 2) -> list[str]:
    """Names of the list checks that fail; every request is asked for the day's lists."""
    requests = pa.table(
        {
            "request_id": [f"r{number}" for number in range(asked)],
            "user_id": [f"u{number}" for number in range(asked)],
            "surface": ["home"] * asked,
            "at": [None] * asked,
            "session_track_ids": [[]] * asked,
        },
        schema=pa.schema([field.with_nullable(True) for field in REQUESTS.schema]),
    )
    return [
        check.check_name for check in list_checks(lists_of(*rows), requests) if not check.passed
    ]


WHOLE = (("r0", 1, "a", 0.9), ("r0", 2, "b", 0.9), ("r1", 1, "a", 2.0))


def test_whole_lists_pass_every_check() -> None:
    assert failed_lists(*WHOLE) == []


def test_a_listener_without_a_list_is_seen() -> None:
    assert failed_lists(*WHOLE, asked=3) == ["every_listener_has_a_list"]


def test_a_track_twice_in_a_list_is_seen() -> None:
    assert failed_lists(*WHOLE, ("r1", 2, "a", 1.0)) == ["no_track_twice"]


def test_a_score_above_the_one_before_it_is_seen() -> None:
    assert failed_lists(*WHOLE, ("r1", 2, "b", 2.1)) == ["scores_fall_with_rank"]


def report(verdict: Verdict) -> AreaReport:
    return AreaReport(
        "data_quality", DAY, verdict, "judged", ("why",), {}, None, None, Path("page.html"), 1
    )


@pytest.mark.parametrize("verdict", [Verdict.OK, Verdict.WATCH])
def test_a_verdict_that_asks_for_no_decision_passes(verdict: Verdict) -> None:
    assert verdict_check(report(verdict)).passed


def test_a_verdict_that_asks_for_a_decision_is_a_warning_with_its_reasons() -> None:
    check = verdict_check(report(Verdict.ACT))
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert check.metadata["reasons"].value == "why"


def data_test(name: str) -> str:
    [found] = [one for one in MANIFEST["nodes"] if one.startswith(f"test.segue.{name}")]
    return found


def results_of(name: str, status: str, failures: int) -> list[dg.AssetCheckResult]:
    node = NodeResult(data_test(name), status, f"Got {failures} results", failures, 0.1, "")
    return list(check_results(set(dbt_models.check_keys), [node]))


def test_a_data_test_that_passes_becomes_a_passed_check_of_its_model() -> None:
    [check] = results_of("unique_key_int_users_user_id", "pass", 0)
    assert check.passed
    assert check.asset_key == dg.AssetKey(["intermediate", "users"])


def test_a_data_test_that_fails_becomes_a_failed_check_with_the_rows_behind_it() -> None:
    [check] = results_of("unique_key_int_users_user_id", "fail", 3)
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.ERROR
    assert check.metadata["rows that fail"].value == 3
    assert check.metadata["message"].value == "Got 3 results"


def test_a_data_test_that_only_warns_becomes_a_failed_check_that_warns() -> None:
    [check] = results_of("unique_key_stg_tracks_track_id", "warn", 1)
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN


def test_a_data_test_that_did_not_run_says_nothing() -> None:
    assert results_of("unique_key_int_users_user_id", "skipped", 0) == []


def test_every_data_test_of_the_project_belongs_to_a_check() -> None:
    names = [one for one in MANIFEST["nodes"] if one.startswith("test.")]
    nodes = [NodeResult(name, "pass", "", 0, 0.1, "") for name in names]
    found = list(check_results(set(dbt_models.check_keys), nodes))
    assert {check.check_name for check in found} == {key.name for key in dbt_models.check_keys}


def test_the_checks_of_the_graph_are_those_that_are_tested() -> None:
    """`bundle_verifies` and `invariants_hold` stand in test_promotion.py, those of leaks in tests/leaks."""
    keys = defs().resolve_asset_graph().asset_check_keys
    own = {key.name for key in keys} - {key.name for key in dbt_models.check_keys}
    assert own == {
        "nothing_is_lost",
        "few_rows_quarantined",
        "generators_have_distinct_roles",
        "labels_follow_candidates",
        "every_listener_has_a_list",
        "no_track_twice",
        "scores_fall_with_rank",
        "bundle_verifies",
        "invariants_hold",
        "examples_know_only_the_past",
        "history_was_not_filtered_first",
        "verdict_is_not_act",
    }
