"""A file of the lake that is no longer what was written is named and quarantined whole."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from ml.lake.damage import (
    DamagedLakeError,
    find_damaged,
    forget_restored,
    set_aside_damaged,
    still_missing,
    told,
    with_damages,
)
from ml.lake.ingest import ingest_table
from ml.lake.quarantine import read_quarantine
from ml.lake.replay import replay_quarantine
from ml.lake.report import ImportReport
from ml.lake.store import Lake

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def garbage(path: Path) -> None:
    path.write_bytes(b"no Parquet at all" * 10)


def swapped(path: Path) -> None:
    """Two bytes of a page of values change places: the footer stays whole."""
    content = bytearray(path.read_bytes())
    place = next(at for at in range(60, len(content)) if content[at] != content[at + 1])
    content[place], content[place + 1] = content[place + 1], content[place]
    path.write_bytes(bytes(content))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.fixture
def two_days(lake: Lake, make_listens: Callable[..., pa.Table]) -> Lake:
    """A lake with a listen on each of two days."""
    for name, day in (("a", FIRST), ("b", SECOND)):
        at = [f"{day}T10:00:00Z"]
        ingest_table(lake, "listens", make_listens(1, listen_id=[name], played_at=at), name)
    return lake


def file_of(lake: Lake, day: date) -> Path:
    [path] = lake.files("listens", day)
    return path


@pytest.mark.parametrize("harm", [truncated, garbage, swapped, emptied])
def test_a_damaged_file_is_found_and_moved_whole(
    two_days: Lake, harm: Callable[[Path], None]
) -> None:
    path = file_of(two_days, FIRST)
    harm(path)
    harmed = path.read_bytes()
    [found] = set_aside_damaged(two_days)
    assert (found.name, found.day) == (f"lake/listens/day={FIRST}/{path.name}", FIRST)
    assert Path(found.kept).read_bytes() == harmed
    assert two_days.days("listens") == [SECOND]
    assert two_days.read("listens")["listen_id"].to_pylist() == ["b"]


def test_a_sound_lake_has_nothing_to_set_aside(two_days: Lake) -> None:
    assert find_damaged(two_days) == []
    assert set_aside_damaged(two_days) == []
    assert still_missing(two_days) == []
    assert not two_days.quarantine.exists()


def test_only_the_days_asked_for_are_looked_at(two_days: Lake) -> None:
    garbage(file_of(two_days, FIRST))
    assert set_aside_damaged(two_days, start=SECOND) == []
    assert set_aside_damaged(two_days, end=FIRST) == []
    assert len(set_aside_damaged(two_days, start=FIRST, end=SECOND)) == 1


def test_it_counts_as_one_quarantined_row_with_its_reason_and_place(two_days: Lake) -> None:
    path = file_of(two_days, FIRST)
    garbage(path)
    [found] = set_aside_damaged(two_days)
    [row] = read_quarantine(two_days).to_pylist()
    assert row["source_file"] == f"lake/listens/day={FIRST}/{path.name}"
    assert row["reason"].startswith("damaged in the lake: ")
    assert row["raw"] == found.kept
    assert not row["is_replayable"]
    [line] = with_damages(ImportReport(()), [found]).files
    assert (line.received, line.accepted, line.already_known, line.quarantined) == (1, 0, 0, 1)


def test_its_rows_are_missing_until_the_same_file_is_received_again(
    two_days: Lake, make_listens: Callable[..., pa.Table]
) -> None:
    garbage(file_of(two_days, FIRST))
    aside = set_aside_damaged(two_days)
    assert still_missing(two_days) == aside
    listens = make_listens(1, listen_id=["a"], played_at=[f"{FIRST}T10:00:00Z"])
    ingest_table(two_days, "listens", listens, "a")
    assert still_missing(two_days) == []
    assert two_days.read("listens")["listen_id"].to_pylist() == ["a", "b"]


def test_days_that_were_received_anew_miss_nothing(two_days: Lake) -> None:
    garbage(file_of(two_days, FIRST))
    set_aside_damaged(two_days)
    forget_restored(two_days, SECOND, date(2026, 3, 9))
    assert len(still_missing(two_days)) == 1
    forget_restored(two_days, FIRST, SECOND)
    assert still_missing(two_days) == []
    assert read_quarantine(two_days).num_rows == 0


def test_a_replay_of_the_quarantine_leaves_it_there(two_days: Lake) -> None:
    garbage(file_of(two_days, FIRST))
    set_aside_damaged(two_days)
    replay_quarantine(two_days, SECOND)
    assert len(still_missing(two_days)) == 1


def test_rows_are_not_added_to_a_file_with_swapped_bytes(
    two_days: Lake, make_listens: Callable[..., pa.Table]
) -> None:
    path = file_of(two_days, FIRST)
    swapped(path)
    rows = make_listens(1, listen_id=["c"])
    with pytest.raises((OSError, pa.ArrowException)):
        two_days.add("listens", FIRST, path.stem, rows)


def test_what_is_told_names_the_file_the_reason_and_the_command(two_days: Lake) -> None:
    path = file_of(two_days, FIRST)
    garbage(path)
    text = str(DamagedLakeError(told(set_aside_damaged(two_days), "run `segue run daily` again")))
    assert f"lake/listens/day={FIRST}/{path.name}" in text
    assert "magic bytes" in text
    assert "run `segue run daily` again" in text
