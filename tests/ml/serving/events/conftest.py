"""Listens by hand, a journal in a temporary folder, and what the lake makes of it."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ml.lake.ingest import ingest
from ml.lake.report import ImportReport
from ml.lake.store import Lake
from ml.serving.events.closing import close_days
from ml.serving.events.journal import Journal
from ml.serving.events.shown import ShownList
from ml.sources.events import event_days, read_days

DAY = date(2026, 3, 1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_listen(number: int, **columns: object) -> dict[str, object]:
    """Listen l<number> of anna, track t<number>, played in the number-th second before noon."""
    second = f"2026-03-01T11:{59 - number // 60 % 60:02d}:{59 - number % 60:02d}Z"
    made: dict[str, object] = {
        "kind": "listen",
        "listen_id": f"l{number}",
        "user_id": "anna",
        "track_id": f"t{number}",
        "played_at": second,
        "ms_played": 200_000,
        "surface": "home",
    }
    return made | columns


def make_impression(position: int, **columns: object) -> dict[str, object]:
    """Track t<position> at a position of request r, shown to anna a minute before noon."""
    made: dict[str, object] = {
        "kind": "impression",
        "request_id": "r",
        "position": position,
        "user_id": "anna",
        "surface": "home",
        "shown_at": "2026-03-01T11:59:00Z",
        "track_id": f"t{position}",
        "score": 0.5,
        "propensity": 1.0,
        "model_version": "v1",
        "arm": "champion",
    }
    return made | columns


def make_shown(size: int, **columns: object) -> ShownList:
    """Tracks t1 to t<size> as request r showed them to anna a minute before noon, scored 0.5 each."""
    made: dict[str, Any] = {
        "request_id": "r",
        "user_id": "anna",
        "surface": "home",
        "shown_at": NOON - timedelta(minutes=1),
        "track_ids": [f"t{position}" for position in range(1, size + 1)],
        "scores": [0.5] * size,
        "model_version": "v1",
        "arm": "champion",
    }
    return ShownList(**made | columns)


def entered(folder: Path, lake: Lake) -> ImportReport:
    """Close every day of a journal and bring it into a lake."""
    days = event_days(folder)
    close_days(folder, max(days).replace(year=2027))
    return ingest(lake, read_days(folder, days).files)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the journal lies; not there yet."""
    return tmp_path / "home" / "events"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(tmp_path / "home")


@pytest.fixture
def begin(folder: Path) -> Iterator[Callable[[], Journal]]:
    """A function that begins one more writer of the journal, as another process would."""
    begun: list[Journal] = []

    def build() -> Journal:
        folder.parent.mkdir(exist_ok=True)
        begun.append(Journal(folder))
        return begun[-1]

    yield build
    for journal in begun:
        journal.close()


@pytest.fixture
def journal(begin: Callable[[], Journal]) -> Journal:
    """The first writer."""
    return begin()
