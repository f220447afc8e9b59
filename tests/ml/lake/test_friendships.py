"""Friendships are judged as every table is."""

from datetime import UTC, datetime

import pyarrow as pa

from ml.lake.ingest import ingest, ingest_table
from ml.lake.quarantine import read_quarantine
from ml.lake.store import Lake
from ml.sources.registry import read_source

LISTENS = "user_id,track_id,played_at\nanna,t0,2026-03-03T10:00:00Z\n"
AT = datetime(2026, 3, 3, 12, tzinfo=UTC)


def test_who_follows_themselves_or_nobody_goes_to_quarantine(lake: Lake) -> None:
    rows = {
        "user_id": ["anna", "anna", None, "ben", "ben"],
        "friend_id": ["ben", "anna", "ben", None, "anna"],
        "known_at": [AT] * 5,
    }
    [file] = ingest_table(lake, "friendships", pa.table(rows), "made").files
    assert (file.received, file.accepted, file.quarantined) == (5, 2, 3)
    assert set(read_quarantine(lake)["reason"].to_pylist()) == {
        "friend_id: the listener itself",
        "user_id: missing",
        "friend_id: missing",
    }


def test_a_friendship_that_arrives_twice_is_the_same_one(lake: Lake) -> None:
    def arrive(*known: datetime) -> tuple[int, int]:
        rows = {
            "user_id": ["anna"] * len(known),
            "friend_id": ["ben"] * len(known),
            "known_at": known,
        }
        [file] = ingest_table(lake, "friendships", pa.table(rows), "made").files
        return file.accepted, file.already_known

    assert arrive(AT, AT) == (1, 1)
    assert arrive(AT.replace(day=9)) == (0, 1)
    assert [row["known_at"] for row in lake.read("friendships").to_pylist()] == [AT]


def test_a_friendship_that_nothing_dates_goes_to_quarantine(lake: Lake) -> None:
    rows = pa.table({"user_id": ["anna"], "friend_id": ["ben"]})
    [file] = ingest_table(lake, "friendships", rows, "made").files
    assert file.reasons == {"known_at: missing": 1}


def test_a_canonical_folder_may_hold_friendships_without_dates(tmp_path) -> None:
    (tmp_path / "listens.csv").write_text(LISTENS)
    (tmp_path / "friendships.csv").write_text("user_id,friend_id\nanna,ben\n")
    lake = Lake(tmp_path / "home")
    source = read_source("canonical", tmp_path, {})
    ingest(lake, source.files)
    [row] = lake.read("friendships").to_pylist()
    assert (row["user_id"], row["friend_id"]) == ("anna", "ben")
    assert row["known_at"] == datetime(2026, 3, 3, tzinfo=UTC)
    assert source.notes[0].startswith("friendships.csv has no known_at")
