"""A run's evaluation from stored examples to the page: every table, and the verdict."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ml.ranking.asked import numbered
from ml.ranking.contexts import Context, context_of
from ml.ranking.judging import RANKER, SHOWN
from ml.ranking.order import Choice
from ml.ranking.report import (
    documents_of,
    report_page,
    verdict_of,
    verdicts_of,
    write_report,
)
from ml.ranking.report_rows import Told
from ml.ranking.report_sections import sections
from ml.ranking.run import TrainingRun, TrainingRunError
from ml.ranking.verdicts import (
    ABLATION,
    BEYOND,
    COMPARISON,
    IMPORTANCE,
    NEW_ONLY,
    ORIGINS,
    SLICE_ADVANTAGES,
    SLICES,
    TABLES,
    evaluate,
    headline,
    read_findings,
)
from ml.state.state import State
from tests.ml.ranking.tiny_run import DAYS, LISTENERS, TRACKS, requests, tiny_run

Make = Callable[..., State]


def test_all_tables_are_stored_with_their_surface(evaluated: TrainingRun) -> None:
    findings = read_findings(evaluated)
    assert set(findings) == set(TABLES)
    assert all(set(one["surface"].to_pylist()) == {"home"} for one in findings.values())


def test_every_label_day_of_validation_and_test_is_an_origin(evaluated: TrainingRun) -> None:
    rows = read_findings(evaluated)[ORIGINS].to_pylist()
    assert [(row["split"], row["day"]) for row in rows if row["model"] == RANKER] == [
        ("validation", DAYS[2]),
        ("validation", DAYS[3]),
        ("test", DAYS[4]),
        ("test", DAYS[5]),
    ]
    assert {row["fitted_before"] for row in rows} == {DAYS[2], DAYS[4]}


def test_slices_hold_what_serves_the_best_generator_and_popularity(evaluated: TrainingRun) -> None:
    findings = read_findings(evaluated)
    leader = next(
        row["model"]
        for row in findings[COMPARISON].to_pylist()
        if row["model"] not in (RANKER, SHOWN)
    )
    assert {RANKER, SHOWN, "popularity", leader} >= set(findings[SLICES]["model"].to_pylist())
    assert {RANKER, SHOWN, "popularity"} <= set(findings[BEYOND]["model"].to_pylist())


def test_repeats_and_new_tracks_are_told_apart(evaluated: TrainingRun) -> None:
    findings = read_findings(evaluated)
    new = findings[NEW_ONLY].filter(pc.equal(findings[NEW_ONLY]["model"], RANKER)).to_pylist()
    # Half of the twelve tracks are new to everybody; forty listeners play five apart.
    assert 0 < new[0]["users"] <= LISTENERS
    parts = set(findings[SLICES]["slice"].to_pylist())
    assert {"repeat", "explore"} <= parts


def test_the_headline_has_bounds_beside_every_mean(evaluated: TrainingRun) -> None:
    found = headline(evaluated)
    low, mean, high = (found[f"home/ndcg_at_10{end}"] for end in ("_low", "", "_high"))
    assert low <= mean <= high
    assert len(found) == 15


def test_the_same_run_gives_the_same_page(evaluated: TrainingRun) -> None:
    path = write_report(evaluated)
    first = path.read_bytes()
    assert write_report(evaluated).read_bytes() == first
    assert b"http" not in first


def test_the_page_is_kept_with_the_run_once_it_is_written(evaluated: TrainingRun) -> None:
    page = write_report(evaluated)
    assert set(documents_of(evaluated)) == {"comparison.md", "report.html"}
    page.unlink()
    assert set(documents_of(evaluated)) == {"comparison.md"}


def test_the_page_tells_every_part(evaluated: TrainingRun) -> None:
    html = report_page(evaluated)
    for title in (
        "All models", "New tracks only", "Day by day", "By slice", "Beyond accuracy", "By feature",
        "By feature family", "What each family is worth",
    ):  # fmt: skip
        assert f"<h3>{title}</h3>" in html
    assert html.index('class="verdict"') < html.index("<h2>")


def test_recall_is_told_where_it_was_measured(evaluated: TrainingRun) -> None:
    assert "Recall by source" not in report_page(evaluated)
    path = evaluated.evaluation / "home_recall.parquet"
    table = {"generator": ["popularity", "pool"], "recall": [0.25, 0.5], "marginal": [0.125, None]}
    pq.write_table(pa.table(table), path)
    try:
        html = report_page(evaluated)
    finally:
        path.unlink()
    assert "Recall by source" in html
    assert "0.250, alone 12.50 points" in html


def test_a_table_that_nothing_can_be_said_in_leaves_its_section_out(
    tmp_path: Path, context: Context
) -> None:
    found = tiny_run(tmp_path, trained=False)
    evaluate(found, context.days[0].state.catalogue, {"home": context}, 1)
    assert IMPORTANCE not in read_findings(found)
    assert ABLATION in read_findings(found)
    assert "By feature" not in report_page(found)


def with_gap(run: TrainingRun, low: float, high: float) -> dict[str, pa.Table]:
    """The run's findings with another interval of the advantage."""
    table = read_findings(run)[COMPARISON]
    size = len(table)
    for name, value in (("advantage_low", low), ("advantage_high", high)):
        table = table.set_column(
            table.column_names.index(name), name, pa.array([value] * size, pa.float64())
        )
    return {COMPARISON: table}


@pytest.mark.parametrize(
    ("low", "high", "tone"), [(0.01, 0.03, "good"), (-0.01, 0.03, "unsure"), (-0.03, -0.01, "bad")]
)
def test_the_interval_and_not_the_mean_makes_the_verdict(
    evaluated: TrainingRun, low: float, high: float, tone: str
) -> None:
    choice = Choice(RANKER, "repeat_memory", {})
    verdict = verdict_of("home", choice, with_gap(evaluated, low, high))
    assert verdict.tone == tone
    assert "the ranker serves" in verdict.claim
    assert "above repeat_memory" in verdict.claim


def test_a_generator_that_serves_is_held_against_popularity(evaluated: TrainingRun) -> None:
    choice = Choice("repeat_memory", "repeat_memory", {})
    verdict = verdict_of("home", choice, with_gap(evaluated, 0.01, 0.03))
    assert "repeat_memory serves" in verdict.claim
    assert "above popularity" in verdict.claim
    assert "No ranker was shown to be above repeat_memory" in verdict.ground


def test_popularity_that_serves_is_above_nothing(evaluated: TrainingRun) -> None:
    verdict = verdict_of("home", Choice("popularity", "popularity", {}), read_findings(evaluated))
    assert verdict.tone == "unsure"
    assert "above" not in verdict.claim


def test_the_stored_run_has_a_verdict_on_its_one_surface(evaluated: TrainingRun) -> None:
    assert set(verdicts_of(evaluated)) == {"home"}
    assert verdicts_of(evaluated)["home"].tone == "good"


def test_a_warehouse_with_other_requests_than_the_examples_is_refused(
    run: TrainingRun, make_state: Make
) -> None:
    state = make_state(LISTENERS, TRACKS)
    other = context_of(numbered([requests(users=3)], [state]), state.catalogue, None)
    with pytest.raises(TrainingRunError, match="expected the 80 test requests of home"):
        evaluate(run, state.catalogue, {"home": other}, 1)


def test_a_run_without_an_evaluation_names_the_command(tmp_path: Path) -> None:
    found = tiny_run(tmp_path)
    with pytest.raises(TrainingRunError, match="segue run train"):
        read_findings(found)


@pytest.mark.parametrize(
    ("gap", "users", "p", "word"),
    [
        (0.1, 40, 0.01, "40 listeners, above"),
        (-0.1, 40, 0.01, "40 listeners, below"),
        (0.1, 40, 0.2, "40 listeners<"),
        (0.1, 12, 0.01, "12 listeners<"),
    ],
)
def test_a_slice_is_called_above_or_below_only_where_it_is_sure(
    gap: float, users: int, p: float, word: str
) -> None:
    row = {"family": "time of day", "slice": "night", "metric": "ndcg@10", "low": 0.1, "high": 0.9}
    shown = [{**row, "model": model, "mean": 0.5, "users": users} for model in (RANKER, "walk")]
    apart = [{**row, "model": "walk", "mean": gap, "users": users, "p": p}]
    told = Told(
        {SLICES: pa.Table.from_pylist(shown), SLICE_ADVANTAGES: pa.Table.from_pylist(apart)},
        Choice(RANKER, "walk", {}),
        None,
    )
    [section] = sections(told)
    assert word in section.body
