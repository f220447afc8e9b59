"""Friendships of a mapping: read beside the listens, dated by the file or by the first play."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ml.errors import SegueError
from ml.lake.ingest import ingest_source
from ml.lake.report import ImportReport
from ml.lake.store import Lake
from ml.sources.registry import read_source

PLAYS = "a,b,c\nu,t,2024-02-01T10:00:00Z\nw,t,2024-02-02T10:00:00Z\n"
UNDATED = """
listens:
  files: plays.csv
  columns: {user_id: a, track_id: b, played_at: c}
friendships:
  files: friends.csv
  columns:
    user_id: who
    friend_id: follows
"""
DATED = UNDATED + "    known_at: {column: since, zone: UTC}\n"


def import_friends(tmp_path: Path, mapping: str, friends: str) -> tuple[list[tuple], ImportReport]:
    """The friendships that the lake holds, by listener, and the report."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, text in (("mapping.yaml", mapping), ("plays.csv", PLAYS), ("friends.csv", friends)):
        (folder / name).write_text(text)
    lake = Lake(tmp_path / "home")
    report = ingest_source(lake, read_source("csv", folder, {}))
    rows = lake.read("friendships").sort_by("user_id").to_pylist()
    return [(row["user_id"], row["friend_id"], row["known_at"]) for row in rows], report


def reasons(report: ImportReport) -> dict[str, int]:
    [friends] = [file for file in report.files if file.path == "friends.csv"]
    return friends.reasons


def test_friendships_that_nothing_dates_are_known_with_the_first_play(tmp_path) -> None:
    found, report = import_friends(tmp_path, UNDATED, "who,follows\nu,w\nw,u\nw,\nu,u\n")
    first = datetime(2024, 2, 1, tzinfo=UTC)
    assert found == [("u", "w", first), ("w", "u", first)]
    assert reasons(report) == {"friend_id: missing": 1, "friend_id: the listener itself": 1}
    assert "undated_friendships" in report.limits


def test_friendships_are_known_when_the_file_says(tmp_path) -> None:
    friends = "who,follows,since\nu,w,2024-02-03 08:00:00\nw,u,whenever\n"
    found, report = import_friends(tmp_path, DATED, friends)
    assert found == [("u", "w", datetime(2024, 2, 3, 8, tzinfo=UTC))]
    assert reasons(report) == {"known_at: not what the mapping says": 1}
    assert "undated_friendships" not in report.limits


def test_a_mapping_of_friendships_without_the_friend_is_refused(tmp_path) -> None:
    wrong = UNDATED.replace("    friend_id: follows\n", "")
    with pytest.raises(SegueError, match=r"friendships\.columns: missing friend_id"):
        import_friends(tmp_path, wrong, "who,follows\n")
