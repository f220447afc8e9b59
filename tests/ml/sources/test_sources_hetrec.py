"""HetRec: the first tag month as event, tags as they were known by then."""

from datetime import date
from pathlib import Path

import pytest

from ml.errors import SegueError
from ml.lake.ingest import ingest
from ml.lake.quarantine import read_quarantine
from ml.lake.store import Lake
from ml.sources.registry import read_source

TAGGED = """userID\tartistID\ttagID\tday\tmonth\tyear
2\t10\t1\t1\t4\t2009
2\t10\t2\t1\t3\t2009
3\t10\t2\t1\t5\t2009
3\t10\t2\t1\t1\t1956
3\t11\t1\t1\t13\t2009
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "hetrec"
    made.mkdir()
    (made / "user_taggedartists.dat").write_text(TAGGED)
    (made / "artists.dat").write_bytes(
        'id\tname\turl\n10\tMot\xf6rhead "live"\tx\n'.encode("latin-1")
    )
    (made / "tags.dat").write_text("tagID\ttagValue\n1\tmetal\n2\trock\n")
    return made


def test_events_are_first_months_and_impossible_dates_are_quarantined(folder, tmp_path):
    lake = Lake(tmp_path / "home")
    source = read_source("hetrec-lastfm", folder, {})
    report = ingest(lake, source.files)

    listens = report.files[1]
    assert (listens.received, listens.accepted, listens.quarantined) == (4, 2, 2)
    events = {
        (row["user_id"], row["track_id"], row["played_at"].date())
        for row in lake.read("listens").to_pylist()
    }
    assert events == {
        ("user:2", "artist:10", date(2009, 3, 1)),
        ("user:3", "artist:10", date(2009, 5, 1)),
    }
    assert read_quarantine(lake)["record"].to_pylist() == [4, 5]
    assert source.limits == ("month_resolution", "no_play_length")


def test_an_artist_row_knows_only_tags_given_up_to_its_month(folder, tmp_path):
    lake = Lake(tmp_path / "home")
    ingest(lake, read_source("hetrec-lastfm", folder, {}).files)
    versions = [(row["known_at"].date(), row["tags"]) for row in lake.read("tracks").to_pylist()]
    assert versions == [
        (date(2009, 3, 1), ["rock"]),
        (date(2009, 4, 1), ["metal", "rock"]),
        (date(2009, 5, 1), ["rock", "metal"]),
    ]
    assert lake.read("tracks")["title"].unique().to_pylist() == ['Motörhead "live"']


def test_a_missing_file_is_named(folder):
    (folder / "tags.dat").unlink()
    with pytest.raises(SegueError, match="found no tags"):
        read_source("hetrec-lastfm", folder, {})


FRIENDS = "userID\tfriendID\n2\t3\n3\t2\n"


def test_undated_friendships_count_as_known_from_the_first_event_on(folder, tmp_path):
    (folder / "user_friends.dat").write_text(FRIENDS)
    lake = Lake(tmp_path / "home")
    source = read_source("hetrec-lastfm", folder, {})
    ingest(lake, source.files)
    found = [
        (row["user_id"], row["friend_id"], row["known_at"].date())
        for row in lake.read("friendships").to_pylist()
    ]
    assert found == [
        ("user:2", "user:3", date(2009, 3, 1)),
        ("user:3", "user:2", date(2009, 3, 1)),
    ]
    assert source.limits[-1] == "undated_friendships"
    assert source.notes[-1].startswith("2 friendships carry no date")


def test_friendships_can_be_left_out(folder):
    (folder / "user_friends.dat").write_text(FRIENDS)
    source = read_source("hetrec-lastfm", folder, {"friends": "no"})
    assert [file.table for file in source.files] == ["tracks", "listens"]
    with pytest.raises(SegueError, match="expected yes or no, found 'maybe'"):
        read_source("hetrec-lastfm", folder, {"friends": "maybe"})
