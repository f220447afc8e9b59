"""A row says whether its bar was reached; a child's figures are its own."""

import sys
from pathlib import Path

import pytest

from tests.benchmarks.measure import Spent, judged, run_child


@pytest.mark.parametrize(
    ("seconds", "peak_mb", "missed"),
    [(10.0, 1536.0, False), (10.1, 100.0, True), (1.0, 1537.0, True)],
)
def test_a_step_over_either_of_its_bars_is_missed(
    seconds: float, peak_mb: float, missed: bool
) -> None:
    row = judged("step", "size", Spent(seconds, 1.0, peak_mb, ""), at_most=10, gigabytes=1.5)
    assert (row.bar, row.missed) == ("10 s, 1.5 GB", missed)


def test_a_step_without_a_bar_misses_none() -> None:
    row = judged("step", "size", Spent(1e6, 1.0, 1e6, ""))
    assert (row.bar, row.missed) == ("", False)


def test_a_child_is_measured_by_its_own_memory_and_processor(tmp_path: Path) -> None:
    work = "held = b'x' * 300_000_000; print(sum(range(10_000_000)))"
    spent = run_child([sys.executable, "-c", work], tmp_path / "log")
    assert spent.printed == "49999995000000\n"
    assert spent.cpu > 0.05
    assert spent.peak_mb > 280


def test_a_child_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no such home"):
        run_child([sys.executable, "-c", "raise SystemExit('no such home')"], tmp_path / "log")
