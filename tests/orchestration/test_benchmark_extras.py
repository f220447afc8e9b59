"""`segue benchmark --extras`: which Python runs RecTools, where it does not apply, what is shown."""

from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from ml.benchmark.cases import BenchmarkError, Case
from ml.benchmark.extras import Answered, Costs
from ml.errors import SegueError
from orchestration.cli import benchmark_extras, console
from orchestration.cli.benchmark import run_benchmark
from orchestration.cli.benchmark_extras import answered_extras, extras_python, show_extras
from orchestration.cli.main import app


def test_without_the_option_no_python_is_looked_for(tmp_path: Path) -> None:
    case = Case("tiny", "by hand", tmp_path, "canonical", "home", True)
    assert extras_python(wanted=False, named=None) is None
    assert answered_extras(case, case, 20, None) == []


def test_extras_without_their_environment_say_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_extras, "PYTHON", tmp_path / "bin" / "python")
    with pytest.raises(BenchmarkError, match=r"pip install -r ml/benchmark/extras\.txt"):
        extras_python(wanted=True, named=None)


def test_the_command_fails_before_it_prepares_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path / "home"))
    missing = str(tmp_path / "python")
    found = CliRunner().invoke(app, ["benchmark", "s3rec-lastfm-seq", "--extras-python", missing])
    assert found.exit_code != 0
    assert not (tmp_path / "home").exists()


def test_data_without_a_cut_of_its_own_takes_no_extras(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path / "home"))
    with pytest.raises(SegueError, match="--extras with one of"):
        run_benchmark("simulator", None, False, tmp_path / "python")


def test_costs_are_shown_by_request_and_what_is_left_out_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = Console(record=True, width=200)
    monkeypatch.setattr(console, "console", shown)
    monkeypatch.setattr(benchmark_extras, "console", shown)
    case = Case("walks", "by hand", tmp_path, "sessions", "now_playing", False)
    costs = Costs(fit_seconds=61.0, answer_seconds=0.5, megabytes=679.0, tuning_seconds=240.0)
    answered = Answered("SASRec (RecTools)", None, {"factors": 64.0}, costs, requests=200)
    show_extras(case, [answered])
    text = shown.export_text()
    for words in (
        "240 s",
        "61 s",
        "679 MB",
        "2.50",
        "factors 64",
        "Left out: two-stage (RecTools)",
    ):
        assert words in text
