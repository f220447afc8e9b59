"""A training that is killed half-way and run again makes the bundle of one that was never killed."""

import shutil
from pathlib import Path

import pytest

from orchestration.settings import Settings
from tests.orchestration.homes.conftest import DAY, killed_when, segue

pytestmark = pytest.mark.e2e


def bundles(home: Path) -> set[str]:
    return {folder.name for folder in Settings(home).bundles.iterdir()}


def test_a_killed_training_run_again_makes_the_same_bundle(
    bootstrapped: Path, trained: Path, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(bootstrapped, tmp_path / "home"))
    examples = Settings(home).training / f"as_of={DAY}" / "examples" / "home" / "train"
    killed_when(home, examples.exists, "run", "train")
    segue(home, "run", "train")
    assert len(bundles(trained)) == 1
    assert bundles(home) == bundles(trained)
