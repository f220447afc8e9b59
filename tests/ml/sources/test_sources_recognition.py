"""What a path is, when nobody said: every format knows its own and no other's."""

import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.errors import SegueError
from ml.sources.recognition import recognise
from ml.sources.registry import FORMATS

STREAM = [{"ts": "2024-03-01T12:00:00Z", "ms_played": 1, "spotify_track_uri": "spotify:track:1"}]
SHORT = [{"endTime": "2024-03-01 12:00", "artistName": "a", "trackName": "t", "msPlayed": 1}]
LISTEN = {"listened_at": 1, "track_metadata": {"artist_name": "a", "track_name": "t"}}
PLAY = "user_000001\t2009-05-04T23:08:57Z\t\tDeep Dish\t\tSay Hello\n"


def write(folder, **files):
    for name, text in files.items():
        file = folder / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


EXAMPLES = {
    "canonical": {"listens_dot_csv": "user_id,track_id,played_at\n"},
    "playlog": {"plays_dot_csv": "time,callsign,artist,song\n"},
    "hetrec-lastfm": {"user_taggedartists_dot_dat": "userID\tartistID\n"},
    "sessions": {"train_dot_csv": "session_id,position,item_id\n"},
    "spotify-export": {
        "MyData__Streaming_History_Audio_2024_0_dot_json": json.dumps(STREAM),
        "MyData__Playlist1_dot_json": "{}",
    },
    "lastfm-1k": {"userid-timestamp-artid-artname-traid-traname_dot_tsv": PLAY},
    "listenbrainz": {
        "user_dot_json": "{}",
        "listens__2024__3_dot_jsonl": json.dumps(LISTEN),
        "feedback_dot_jsonl": "{}",
    },
    "csv": {"mapping_dot_yaml": "listens:\n  columns: {}\n", "plays_dot_csv": "a,b\n"},
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_format_is_recognised_by_its_folder_and_says_why(tmp_path, name):
    found = recognise(write(tmp_path / "data", **EXAMPLES[name]))
    assert found.name == name
    assert found.why


def test_every_format_that_can_be_recognised_has_an_example():
    assert set(EXAMPLES) == {one.name for one in FORMATS.values() if one.recognise is not None}


@pytest.mark.parametrize("rows", [STREAM, SHORT])
def test_one_json_file_of_any_name_is_recognised_by_its_rows(tmp_path, rows):
    (tmp_path / "mine.json").write_text(json.dumps(rows, indent=1))
    assert recognise(tmp_path / "mine.json").name == "spotify-export"


@pytest.mark.parametrize(
    ("inside", "text", "name"),
    [
        ("Spotify Account Data/StreamingHistory_music_0.json", json.dumps(SHORT), "spotify-export"),
        ("listens/2024/3.jsonl", json.dumps(LISTEN), "listenbrainz"),
    ],
)
def test_a_zip_is_recognised_without_unpacking(tmp_path, inside, text, name):
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr(inside, text)
    found = recognise(tmp_path / "export.zip")
    assert (found.name, inside in found.why) == (name, True)


def test_a_parquet_file_is_recognised_by_its_columns(tmp_path):
    names = ["user_id", "timestamp", "artist_mbid", "artist_name", "track_mbid", "track_name"]
    pq.write_table(pa.table({name: ["x"] for name in names}), tmp_path / "events.parquet")
    assert recognise(tmp_path / "events.parquet").name == "lastfm-1k"
    assert recognise(tmp_path).name == "lastfm-1k"


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("hetrec2011-lastfm-2k", "hetrec-lastfm"),
        ("fivethirtyeight-classic-rock", "playlog"),
        ("nowplaying-sessions", "sessions"),
        ("lastfm-1k-sample", "lastfm-1k"),
    ],
)
def test_the_real_data_sets_are_recognised(shared_data, folder, name):
    assert recognise(shared_data / folder).name == name


def test_signs_of_several_formats_are_told_and_none_is_chosen(tmp_path):
    write(tmp_path, **EXAMPLES["canonical"], **EXAMPLES["hetrec-lastfm"])
    with pytest.raises(
        SegueError, match=r"several: canonical \(.*\); hetrec-lastfm \(.*\)"
    ) as told:
        recognise(tmp_path)
    assert "segue import canonical" in str(told.value)


def test_an_unknown_file_lists_the_formats_and_what_each_expects(tmp_path):
    (tmp_path / "report.txt").write_text("hello")
    with pytest.raises(SegueError, match=r"found report\.txt") as told:
        recognise(tmp_path)
    for one in FORMATS.values():
        assert f"{one.name}: {one.expects}" in str(told.value)


@pytest.mark.parametrize("data", [b"", b"\x00\xff\x00", b"PK\x03\x04"])
@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.zip", "a.parquet", "a.tsv.gz", "a.jsonl"])
def test_a_broken_file_is_unknown_and_no_crash(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SegueError, match="expected a format that Segue knows"):
        recognise(tmp_path / name)


def test_a_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SegueError, match=r"found no .*missing"):
        recognise(tmp_path / "missing")
