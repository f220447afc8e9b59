"""A life harmed once a test session, by a child process of its own: kills and full disks."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.orchestration.homes.conftest import REPOSITORY, once


@pytest.fixture(scope="session")
def harmed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What harmed_life says; `home` is the life that met no harm."""

    def build(root: Path) -> None:
        child = [sys.executable, "-m", "tests.e2e.harmed_life", str(root)]
        result = subprocess.run(child, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout[-1000:] + result.stderr[-3000:]

    root = once(tmp_path_factory, "harmed", build)
    found: dict[str, Any] = json.loads((root / "results.json").read_text())
    return found
