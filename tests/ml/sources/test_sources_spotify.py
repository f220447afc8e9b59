"""Spotify's streaming histories: both forms, several files, overlaps, what is no music."""

import json
import zipfile
from datetime import UTC, datetime

import pytest

from ml.errors import SegueError
from ml.lake.ingest import ingest_source
from ml.lake.quarantine import read_quarantine
from ml.lake.store import Lake
from ml.sources.registry import read_source
from tests.ml.sources.simulated_spotify import row

ENDED = datetime(2024, 3, 1, 12, 0, 30, tzinfo=UTC)


def song(title="Back in Black", uri="spotify:track:1", artist="AC/DC", album="Hits"):
    return {
        "master_metadata_track_name": title,
        "master_metadata_album_artist_name": artist,
        "master_metadata_album_album_name": album,
        "spotify_track_uri": uri,
    }


def short(end, ms_played, title="Back in Black", artist="AC/DC"):
    return {"endTime": end, "artistName": artist, "trackName": title, "msPlayed": ms_played}


def write(folder, name, rows):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(rows, ensure_ascii=False))


def import_export(path, home, **options):
    lake = Lake(home)
    source = read_source("spotify-export", path, options)
    return lake, ingest_source(lake, source)


def counts(report):
    return {
        (file.path, file.table): (
            file.received,
            file.accepted,
            file.already_known,
            file.quarantined,
        )
        for file in report.files
    }


def test_a_listen_begins_when_it_ended_less_what_was_played(tmp_path):
    write(tmp_path / "e", "Streaming_History_Audio_2024_0.json", [row(ENDED, 90_500, **song())])
    lake, report = import_export(tmp_path / "e", tmp_path / "home")
    listen = lake.read("listens").to_pylist()[0]
    assert listen["played_at"] == datetime(2024, 3, 1, 11, 58, 59, 500_000, tzinfo=UTC)
    assert (listen["user_id"], listen["track_id"], listen["ms_played"]) == (
        "me",
        "spotify:track:1",
        90_500,
    )
    track = lake.read("tracks").to_pylist()[0]
    assert (track["title"], track["artist_name"], track["album"]) == (
        "Back in Black",
        "AC/DC",
        "Hits",
    )
    assert track["known_at"] == listen["played_at"]
    assert report.limits == ("one_listener",)


def test_a_listen_told_by_two_files_counts_once(tmp_path):
    first, second = row(ENDED, 1_000, **song()), row(ENDED, 2_000, **song())
    write(tmp_path / "e", "Streaming_History_Audio_2023-2024_0.json", [first, second])
    write(tmp_path / "e", "Streaming_History_Audio_2024_1.json", [second])
    write(tmp_path / "e", "endsong_0.json", [first])
    lake, report = import_export(tmp_path / "e", tmp_path / "home")
    assert len(lake.read("listens")) == 2
    assert counts(report)["Streaming_History_Audio_2024_1.json", "listens"] == (1, 0, 1, 0)


def test_a_row_told_twice_in_the_same_second_is_one_listen(tmp_path):
    write(tmp_path / "e", "endsong_0.json", [row(ENDED, 1_000, **song())] * 2)
    _, report = import_export(tmp_path / "e", tmp_path / "home")
    assert counts(report)["endsong_0.json", "listens"] == (2, 1, 1, 0)


def test_a_short_history_beside_the_extended_one_adds_only_what_that_lacks(tmp_path):
    write(tmp_path / "e", "Streaming_History_Audio_2024_0.json", [row(ENDED, 90_000, **song())])
    rows = [short("2024-03-01 12:00", 90_000), short("2024-03-02 08:15", 60_000)]
    write(tmp_path / "e", "StreamingHistory_music_0.json", rows)
    lake, report = import_export(tmp_path / "e", tmp_path / "home")
    assert counts(report)["StreamingHistory_music_0.json", "listens"] == (2, 1, 1, 0)
    listens = sorted(lake.read("listens").to_pylist(), key=lambda one: one["played_at"])
    assert [one["played_at"] for one in listens] == [
        datetime(2024, 3, 1, 11, 59, 0, tzinfo=UTC),
        datetime(2024, 3, 2, 8, 14, 0, tzinfo=UTC),
    ]
    assert {one["track_id"] for one in listens} == {"spotify:track:1"}


def test_an_extended_history_that_arrives_later_counts_no_listen_twice(tmp_path):
    write(tmp_path / "s", "StreamingHistory0.json", [short("2024-03-01 12:00", 90_000)])
    rows = [row(ENDED, 90_000, **song()), row(ENDED.replace(hour=13), 90_000, **song())]
    write(tmp_path / "x", "Streaming_History_Audio_2024_0.json", rows)
    import_export(tmp_path / "s", tmp_path / "home")
    lake, report = import_export(tmp_path / "x", tmp_path / "home")
    assert len(lake.read("listens")) == 2
    assert report.files[-1].reasons == {"listen_id: known with other content": 1}


def test_equal_short_rows_of_one_minute_are_as_many_listens_as_one_file_tells(tmp_path):
    rows = [short("2024-03-01 12:00", 0)] * 3
    write(tmp_path / "e", "StreamingHistory0.json", rows)
    write(tmp_path / "e", "StreamingHistory1.json", rows[:2])
    lake, report = import_export(tmp_path / "e", tmp_path / "home")
    assert len(lake.read("listens")) == 3
    assert counts(report)["StreamingHistory1.json", "listens"] == (2, 0, 2, 0)


def test_podcasts_and_audiobooks_are_set_aside_and_counted(tmp_path):
    talk = {"episode_name": "One", "episode_show_name": "A Show", "spotify_episode_uri": "s:e:1"}
    book = {"audiobook_title": "A Book", "audiobook_uri": "spotify:show:1"}
    rows = [row(ENDED, 1, **talk), row(ENDED, 1, **book), row(ENDED, 1, **song())]
    write(tmp_path / "e", "Streaming_History_Audio_2024_0.json", rows)
    podcast = {"endTime": "2024-03-01 12:00", "podcastName": "A Show", "episodeName": "One"}
    write(tmp_path / "e", "StreamingHistory_podcast_0.json", [{**podcast, "msPlayed": 5}])
    lake, report = import_export(tmp_path / "e", tmp_path / "home")
    assert len(lake.read("listens")) == 1
    assert report.quarantined == 3
    assert "2 (no music: a podcast)" in " ".join(report.notes)
    assert "1 (no music: an audiobook)" in " ".join(report.notes)
    held = read_quarantine(lake)
    assert any('"episode_name": "One"' in raw for raw in held["raw"].to_pylist())
    assert set(held["is_replayable"].to_pylist()) == {False}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(ENDED, 1), "track: neither an address nor artist and title"),
        ({**row(ENDED, 1, **song()), "ms_played": None}, "ms_played: missing"),
        ({**row(ENDED, 1, **song()), "ms_played": "soon"}, "ms_played: missing"),
        ({**row(ENDED, 1, **song()), "ts": "yesterday"}, "end of the stream: missing"),
        ({**row(ENDED, 1, **song()), "ts": None}, "end of the stream: missing"),
        (row(ENDED.replace(year=1970), 1, **song()), "end of the stream: before Spotify began"),
        (short("2024-13-01 12:00", 5), "end of the stream: missing"),
        (row(ENDED, -5, **song()), "ms_played: negative"),
        (17, "no object"),
        (None, "no object"),
        ({}, "track: neither"),
    ],
)
def test_an_odd_row_is_kept_with_its_reason_and_place(tmp_path, bad, reason):
    rows = [row(ENDED, 1_000, **song()), bad]
    write(tmp_path / "e", "Streaming_History_Audio_2024_0.json", rows)
    lake, report = import_export(tmp_path / "e", tmp_path / "home")
    assert counts(report)["Streaming_History_Audio_2024_0.json", "listens"] == (2, 1, 0, 1)
    held = read_quarantine(lake).to_pylist()[0]
    assert held["reason"].startswith(reason)
    assert held["record"] == 2


def test_a_track_without_an_address_is_known_by_artist_and_title(tmp_path):
    rows = [row(ENDED, 1, **song(uri=None)), row(ENDED, 2, **song(uri=None, title="BACK IN BLACK"))]
    write(tmp_path / "e", "endsong_0.json", rows)
    lake, _ = import_export(tmp_path / "e", tmp_path / "home")
    ids = set(lake.read("listens")["track_id"].to_pylist())
    assert len(ids) == 1
    assert ids.pop().startswith("name:")


@pytest.mark.parametrize("text", ["", "[{", '{"a": 1}', "no json"])
def test_a_file_that_is_no_list_is_quarantined_whole_and_the_others_enter(tmp_path, text):
    write(tmp_path / "e", "Streaming_History_Audio_2023_0.json", [row(ENDED, 1, **song())])
    (tmp_path / "e" / "Streaming_History_Audio_2024_1.json").write_text(text)
    lake, report = import_export(tmp_path / "e", tmp_path / "home")
    assert len(lake.read("listens")) == 1
    assert report.quarantined == 1
    kept = next(lake.quarantine.glob("listens/files/*2024_1.json"))
    assert kept.read_text() == text


def test_a_zip_is_read_as_its_folder_and_nothing_of_it_stays_behind(tmp_path):
    inside = "Spotify Extended Streaming History/Streaming_History_Audio_2024_0.json"
    with zipfile.ZipFile(tmp_path / "my_spotify_data.zip", "w") as archive:
        archive.writestr(inside, json.dumps([row(ENDED, 1_000, **song())]))
        archive.writestr("Spotify Extended Streaming History/ReadMeFirst.pdf", b"%PDF")
        archive.writestr("../Streaming_History_Audio_evil_0.json", json.dumps([]))
    lake, report = import_export(tmp_path / "my_spotify_data.zip", tmp_path / "home")
    assert len(lake.read("listens")) == 1
    assert counts(report)[f"my_spotify_data.zip/{inside}", "listens"] == (1, 1, 0, 0)
    assert not list(tmp_path.parent.glob("Streaming_History_Audio_evil*"))


def test_a_broken_zip_is_quarantined_whole(tmp_path):
    (tmp_path / "my_spotify_data.zip").write_bytes(b"PK\x03\x04 cut off")
    lake, report = import_export(tmp_path / "my_spotify_data.zip", tmp_path / "home")
    assert report.quarantined == 1
    assert list(lake.quarantine.glob("listens/files/*my_spotify_data.zip"))


def test_the_same_export_again_adds_nothing_and_another_user_is_another_listener(tmp_path):
    write(tmp_path / "e", "endsong_0.json", [row(ENDED, 1_000, **song())])
    import_export(tmp_path / "e", tmp_path / "home")
    _, again = import_export(tmp_path / "e", tmp_path / "home")
    assert again.accepted == 0
    lake, _ = import_export(tmp_path / "e", tmp_path / "home", user="anna")
    assert sorted(lake.read("listens")["user_id"].to_pylist()) == ["anna", "me"]


def test_a_later_export_changes_no_track_of_the_earlier_one(tmp_path):
    later = row(ENDED.replace(day=9), 1_000, **song(album="A Reissue"))
    write(tmp_path / "e", "endsong_0.json", [row(ENDED, 1_000, **song())])
    import_export(tmp_path / "e", tmp_path / "home")
    write(tmp_path / "e", "endsong_1.json", [later])
    lake, report = import_export(tmp_path / "e", tmp_path / "home")
    assert (report.accepted, report.quarantined) == (1, 0)
    assert lake.read("tracks")["album"].to_pylist() == ["Hits"]


def test_a_folder_without_a_history_says_what_was_expected(tmp_path):
    (tmp_path / "Playlist1.json").write_text("{}")
    with pytest.raises(SegueError, match=r"StreamingHistory_music_0\.json, found Playlist1\.json"):
        read_source("spotify-export", tmp_path, {})


def test_a_listener_without_a_name_is_refused(tmp_path):
    with pytest.raises(SegueError, match="option user: expected a name"):
        read_source("spotify-export", tmp_path, {"user": " "})
