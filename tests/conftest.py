"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

# As the commands do (orchestration.settings.PATIENT): two test processes share two cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real data sets, kept beside the repository and never in it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data sets are not beside this checkout (../shared/data)")
    return SHARED_DATA


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-graph` accepts a changed graph (tests/orchestration/graph.txt)."""
    parser.addoption("--update-graph", action="store_true", help="accept the graph as it is now")
