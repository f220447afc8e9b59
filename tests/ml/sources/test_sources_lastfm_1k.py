"""The Last.fm 1K users data set in its original shape, odd lines included."""

import gzip
import random
from datetime import UTC, date, datetime
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.errors import SegueError
from ml.lake.ingest import ingest, ingest_source
from ml.lake.quarantine import read_quarantine
from ml.lake.replay import replay_quarantine
from ml.lake.store import Lake
from ml.sources import lastfm_1k
from ml.sources.lines import read_lines
from ml.sources.registry import read_source

EVENTS = "userid-timestamp-artid-artname-traid-traname.tsv"
ARTIST = "f1b1cf71-bd35-4e99-8624-24a6e15f133a"
TRACK = "4d6f8b1a-0000-4000-8000-000000000001"


def line(
    user="user_000001",
    time="2009-05-04T23:08:57Z",
    artist=ARTIST,
    name="Deep Dish",
    track=TRACK,
    title="Say Hello",
):
    return f"{user}\t{time}\t{artist}\t{name}\t{track}\t{title}"


def import_lines(tmp_path, *lines, profile=None, **options):
    folder = tmp_path / "lastfm-dataset-1K"
    folder.mkdir(exist_ok=True)
    text = b"\n".join(one if isinstance(one, bytes) else one.encode() for one in lines) + b"\n"
    (folder / EVENTS).write_bytes(text)
    if profile is not None:
        (folder / "userid-profile.tsv").write_text(profile)
    lake = Lake(tmp_path / "home")
    return lake, ingest_source(lake, read_source("lastfm-1k", folder, options))


def test_ids_are_musicbrainz_ids_where_there_are_some(tmp_path):
    lake, report = import_lines(tmp_path, line())
    listen, track = lake.read("listens").to_pylist()[0], lake.read("tracks").to_pylist()[0]
    assert (listen["user_id"], listen["track_id"]) == ("user_000001", TRACK)
    assert listen["played_at"] == datetime(2009, 5, 4, 23, 8, 57, tzinfo=UTC)
    assert listen["ms_played"] is None
    assert (track["artist_id"], track["artist_name"], track["title"]) == (
        ARTIST,
        "Deep Dish",
        "Say Hello",
    )
    assert report.limits == ("no_play_length", "one_listener")


def test_artist_and_title_make_the_id_of_a_track_without_one(tmp_path):
    lake, report = import_lines(
        tmp_path,
        line(track="", artist=""),
        line(track="", artist="", name="DEEP DISH", time="2009-05-04T20:00:00Z"),
        line(track="", artist="", title="Say Bye", time="2009-05-04T21:00:00Z"),
    )
    ids = lake.read("listens").sort_by("played_at")["track_id"].to_pylist()
    assert ids[0] == ids[2] != ids[1]
    assert all(one.startswith("name:") for one in ids)
    assert len(set(lake.read("tracks")["artist_id"].to_pylist())) == 1
    assert report.notes[0].startswith("3 of 3 plays bear no track id")


def test_a_play_after_the_collection_is_quarantined_and_said(tmp_path):
    late = line(time="2013-09-29T18:32:04Z", title="Never Before", track="")
    lake, report = import_lines(tmp_path, line(), late)
    assert report.files[1].reasons == {"played_at: later than known_at": 1}
    assert "1 plays are dated after 2009-05-05" in report.notes[1]
    assert len(lake.read("tracks")) == 1
    assert max(lake.days("listens")) == date(2009, 5, 4)
    assert replay_quarantine(lake, date(2013, 9, 30)).accepted == 1


def test_the_end_of_the_collection_can_be_moved(tmp_path):
    _, report = import_lines(
        tmp_path, line(time="2013-09-29T18:32:04Z"), collected_until="2013-12-31"
    )
    assert report.quarantined == 0


def test_quotes_and_tabs_inside_names_are_names(tmp_path):
    lake, report = import_lines(
        tmp_path,
        line(name='"Weird Al" Yankovic', title='Say "Hello', track="", time="2009-01-01T00:00:01Z"),
        line(name="Deep\tDish", time="2009-01-01T00:00:02Z"),
        line(title="Say\tHello", track="", time="2009-01-01T00:00:03Z"),
    )
    assert report.quarantined == 0
    tracks = {row["title"]: row["artist_name"] for row in lake.read("tracks").to_pylist()}
    assert tracks == {
        'Say "Hello': '"Weird Al" Yankovic',
        "Say Hello": "Deep Dish",
    }


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line().rpartition("\t")[0], "expected 6 columns, found 5"),
        (line() + "\ta\tb\tc\td", "expected 6 columns, found 10"),
        (line(time="2009-05-04 23:08:57"), "played_at: not a time like 2009-05-04T23:08:57Z"),
        (line(time="2009-02-30T23:08:57Z"), "played_at: not a time like 2009-05-04T23:08:57Z"),
        (line(time="1970-01-01T00:00:09Z"), "played_at: before Audioscrobbler began"),
        (line(track="", title=""), "artist or title: missing, and no track id"),
        (line(user=""), "user_id: missing"),
        (line().encode() + b"\xff", "broken encoding: expected UTF-8"),
    ],
)
def test_an_odd_line_is_kept_with_its_reason_and_place(tmp_path, bad, reason):
    lake, report = import_lines(tmp_path, line(), bad, line(time="2009-05-04T22:00:00Z"))
    listens = report.files[1]
    assert (listens.received, listens.accepted, listens.quarantined) == (3, 2, 1)
    held = read_quarantine(lake).to_pylist()[0]
    assert (held["reason"], held["record"]) == (reason, 2)


def test_a_title_is_missing_but_the_track_has_its_id(tmp_path):
    lake, _ = import_lines(tmp_path, line(title="", name=""))
    assert lake.read("tracks")["title"].to_pylist() == [None]


def test_windows_line_ends_and_a_last_line_without_one_are_read(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / EVENTS).write_text(line() + "\r\n" + line(time="2009-05-04T22:00:00Z"))
    lake = Lake(tmp_path / "home")
    report = ingest(lake, read_source("lastfm-1k", folder, {}).files)
    assert report.files[1].accepted == 2
    assert set(lake.read("tracks")["title"].to_pylist()) == {"Say Hello"}


def test_profiles_become_users(tmp_path):
    profile = (
        "#id\tgender\tage\tcountry\tregistered\n"
        "user_000001\tm\t\tJapan\tAug 13, 2006\n"
        "user_000002\tf\t24\t\t\n"
        "user_000003\tf\told\tPeru\tAug 13, 2006\n"
        "user_000004\tf\t24\tPeru\tsome day\n"
        "user_000005\tf\t24\tPeru\n"
    )
    lake, report = import_lines(tmp_path, line(), profile=profile)
    users = {row["user_id"]: row for row in lake.read("users").to_pylist()}
    assert users["user_000001"]["signed_up_on"] == date(2006, 8, 13)
    assert users["user_000001"]["country"] == "Japan"
    assert (users["user_000002"]["birth_year"], users["user_000002"]["country"]) == (1985, None)
    assert users["user_000001"]["known_at"] == datetime(2009, 5, 4, tzinfo=UTC)
    assert report.files[1].reasons == {
        "birth_year: not a whole number": 1,
        "expected 5 columns, found 4": 1,
        "signed_up_on: not a date": 1,
    }


def test_a_packed_events_file_is_read(tmp_path):
    with gzip.open(tmp_path / f"{EVENTS}.gz", "wt") as stream:
        stream.write(line() + "\n")
    lake = Lake(tmp_path / "home")
    assert ingest(lake, read_source("lastfm-1k", tmp_path, {}).files).accepted == 2


def test_a_truncated_file_brings_no_plays_and_no_tracks(tmp_path, monkeypatch):
    monkeypatch.setattr(lastfm_1k, "read_lines", partial(read_lines, block_bytes=1 << 14))
    packed = tmp_path / f"{EVENTS}.gz"
    # Titles that do not pack: some lines are whole before the damage.
    made = random.Random(7)
    titles = [f"{made.getrandbits(256):x}" for _ in range(2_000)]
    with gzip.open(packed, "wt") as stream:
        stream.writelines(line(track="", title=title) + "\n" for title in titles)
    packed.write_bytes(packed.read_bytes()[:-1_000])
    lake = Lake(tmp_path / "home")
    report = ingest(lake, read_source("lastfm-1k", tmp_path, {}).files)
    assert report.accepted == 0
    assert [file.table for file in report.files] == ["listens"]


def test_a_time_that_is_none_in_parquet_is_judged(tmp_path):
    names = ("user_id", "timestamp", "artist_mbid", "artist_name", "track_mbid", "track_name")
    times = ("2009-05-04T23:08:57Z", "2009-02-30T23:08:57Z", "soon")
    rows = [dict(zip(names, line(time=one).split("\t"), strict=True)) for one in times]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "events.parquet")
    lake = Lake(tmp_path / "home")
    report = ingest(lake, read_source("lastfm-1k", tmp_path, {}).files)
    assert report.files[1].reasons == {"played_at: not a time like 2009-05-04T23:08:57Z": 2}
    assert len(lake.read("listens")) == 1


def test_the_sample_as_parquet_with_the_same_columns(shared_data, tmp_path):
    lake = Lake(tmp_path)
    source = read_source("lastfm-1k", shared_data / "lastfm-1k-sample", {})
    report = ingest_source(lake, source)
    assert (report.files[1].received, report.files[1].accepted) == (5_000, 5_000)
    assert lake.days("listens")[-1] == date(2009, 5, 4)
    assert ingest(lake, source.files).accepted == 0


def test_a_folder_without_events_says_how_to_come_by_them(tmp_path):
    (tmp_path / "lastfm-dataset-1K.tar.gz").write_bytes(b"")
    with pytest.raises(SegueError, match=r"unpack lastfm-dataset-1K\.tar\.gz"):
        read_source("lastfm-1k", tmp_path, {})


def test_an_end_that_is_no_day_is_refused(tmp_path):
    with pytest.raises(SegueError, match="option collected_until: expected a day"):
        import_lines(tmp_path, line(), collected_until="May 2009")
