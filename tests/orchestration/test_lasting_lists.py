"""A training is told for how many days a list has to last, and how many to leave out before a split."""

from datetime import date

import pytest

from ml.errors import SegueError
from ml.ranking.training import Sampling
from orchestration.cli.jobs import run_job
from orchestration.defs.embeddings.assets import TrainingConfig
from orchestration.home import Home, Source, write_home
from orchestration.running import TRAIN_CONFIG_OP, Launch
from orchestration.settings import Settings


def test_the_days_reach_the_step_that_plans() -> None:
    config = Launch("train", horizon=30, gap=2).run_config()["ops"][TRAIN_CONFIG_OP]["config"]
    assert TrainingConfig(**config).horizon == 30
    assert TrainingConfig(**config).gap == 2


def test_lists_last_a_day_where_nothing_is_asked() -> None:
    assert "ops" not in Launch("train").run_config()
    assert TrainingConfig().horizon == Sampling().horizon == 1
    assert TrainingConfig().gap == Sampling().gap == 0


def test_the_command_that_runs_it_again_asks_for_the_same_days() -> None:
    launch = Launch("train", as_of=date(2026, 1, 9), horizon=30, gap=2)
    assert launch.command == "segue run train --as-of 2026-01-09 --horizon 30 --gap 2"
    assert Launch("train").command == "segue run train"


def test_a_number_below_nothing_is_refused(tmp_path, monkeypatch) -> None:
    home = Home(date(2026, 1, 1), date(2026, 1, 9), Source("imported"))
    write_home(Settings(tmp_path), home)
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path))
    with pytest.raises(SegueError, match="expected --horizon to be a number of days, found -3"):
        run_job("train", "", "", -3)
    with pytest.raises(SegueError, match="expected --gap to be a number of days, found -1"):
        run_job("train", "", "", 0, -1)
