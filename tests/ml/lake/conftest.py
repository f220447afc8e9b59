"""A lake in a temporary home and listens by hand."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from ml.lake.report import ImportReport
from ml.lake.store import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(tmp_path / "home")


@pytest.fixture
def make_listens() -> Callable[..., pa.Table]:
    """A function (columns) -> raw listens as text: l0, l1, ... on following hours of 2026-03-01."""

    def build(count: int = 2, **columns: list) -> pa.Table:
        made = {
            "listen_id": [f"l{i}" for i in range(count)],
            "user_id": ["anna"] * count,
            "track_id": [f"t{i}" for i in range(count)],
            "played_at": [f"2026-03-01T{10 + i}:00:00Z" for i in range(count)],
            "ms_played": ["200000"] * count,
            "surface": ["home"] * count,
        }
        return pa.table({**made, **columns})

    return build


@pytest.fixture
def counts() -> Callable[[ImportReport], list[tuple[int, int, int, int]]]:
    """A function report -> (received, accepted, already known, quarantined) of each file."""
    return lambda report: [
        (file.received, file.accepted, file.already_known, file.quarantined)
        for file in report.files
    ]
