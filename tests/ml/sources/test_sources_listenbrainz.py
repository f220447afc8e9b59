"""ListenBrainz exports in the shape that its server writes, odd lines included."""

import json
import zipfile
from datetime import UTC, datetime

import pytest

from ml.errors import SegueError
from ml.lake.ingest import ingest_source
from ml.lake.quarantine import read_quarantine
from ml.lake.store import Lake
from ml.sources.registry import read_source

DAY = 1_700_000_000
RECORDING = "9d763275-0b67-4edf-8aee-3d9511068716"
ARTIST = "2fddb92d-24b2-46a5-bf28-3aed46f4684c"


def listen(at=1_700_000_000, msid="m1", mapped=True, info=None, **data):
    """A line as the export writes it: the mapping is an object or null."""
    mapping = {
        "recording_name": "Can't Get You Out of My Head",
        "recording_mbid": RECORDING,
        "release_mbid": "8d3e2f07-e3f4-4c41-942a-54b59a812b1b",
        "artist_mbids": [ARTIST],
        "caa_id": 13226700705,
        "caa_release_mbid": None,
        "artists": [
            {"artist_credit_name": "Kylie", "join_phrase": "", "artist_mbid": ARTIST},
        ],
    }
    metadata = {
        "artist_name": "Kylie Minogue",
        "track_name": "Can't Get You Out of My Head",
        "release_name": "Fever",
        "additional_info": info or {},
        "recording_msid": msid,
        "mbid_mapping": mapping if mapped else None,
        **data,
    }
    # Postgres writes epochs with six decimals.
    text = json.dumps({"inserted_at": "INSERTED", "listened_at": "AT", "track_metadata": metadata})
    return text.replace('"AT"', f"{at}.000000").replace('"INSERTED"', "1700009999.123456")


def write(folder, *lines, name="listens/2023/11.jsonl", user="rob"):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")
    (folder / "user.json").write_text(json.dumps({"user_id": 1, "username": user}) + "\n")
    return folder


def import_export(path, home, **options):
    lake = Lake(home)
    return lake, ingest_source(lake, read_source("listenbrainz", path, options))


def test_a_listen_begins_at_its_time_and_its_length_is_unknown(tmp_path):
    info = {"duration_ms": 229_000, "tags": ["pop", "dance"]}
    lake, report = import_export(write(tmp_path / "e", listen(info=info)), tmp_path / "home")
    row, track = lake.read("listens").to_pylist()[0], lake.read("tracks").to_pylist()[0]
    assert row["played_at"] == row["known_at"] == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (row["user_id"], row["track_id"], row["ms_played"]) == ("rob", RECORDING, None)
    assert (track["artist_id"], track["artist_name"]) == (ARTIST, "Kylie Minogue")
    assert (track["album"], track["duration_ms"]) == ("Fever", 229_000)
    assert track["tags"] == ["pop", "dance"]
    assert report.limits == ("no_play_length", "one_listener")


def test_the_id_that_was_sent_stands_in_for_a_missing_mapping_and_names_for_both(tmp_path):
    lines = [
        listen(DAY + 1, mapped=False, info={"recording_mbid": "sent", "artist_mbids": ["who"]}),
        listen(DAY + 2, mapped=False),
        listen(DAY + 3, mapped=False, track_name="CAN'T GET YOU OUT OF MY HEAD"),
    ]
    lake, report = import_export(write(tmp_path / "e", *lines), tmp_path / "home")
    ids = lake.read("listens").sort_by("played_at")["track_id"].to_pylist()
    assert ids[0] == "sent"
    assert ids[1] == ids[2]
    assert ids[1].startswith("name:")
    assert report.notes[1].startswith("2 of 3 listens have no recording id")


def test_a_listen_told_by_two_files_counts_once(tmp_path):
    write(tmp_path / "e", listen(DAY + 1), listen(DAY + 1, msid="m2", mapped=False))
    write(tmp_path / "e", listen(DAY + 1), name="listens/2023/12.jsonl")
    lake, report = import_export(tmp_path / "e", tmp_path / "home")
    assert len(lake.read("listens")) == 2
    assert [(file.accepted, file.already_known) for file in report.files[1:]] == [(2, 0), (0, 1)]


def test_a_later_export_that_maps_a_listen_anew_counts_it_once(tmp_path):
    import_export(write(tmp_path / "a", listen(mapped=False)), tmp_path / "home")
    lake, report = import_export(write(tmp_path / "b", listen()), tmp_path / "home")
    assert len(lake.read("listens")) == 1
    assert report.files[-1].reasons == {"listen_id: known with other content": 1}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "no JSON object"),
        ("[1]", "no JSON object"),
        ('"text"', "no JSON object"),
        (listen("null"), "listened_at: missing or no time in Unix seconds since 2002"),
        (listen(1), "listened_at: missing or no time in Unix seconds since 2002"),
        (listen(0), "listened_at: missing or no time in Unix seconds since 2002"),
        (listen(1_700_000_000_000), "listened_at: missing or no time in Unix seconds since 2002"),
        (listen(mapped=False, track_name=""), "track: neither an id nor artist and title"),
        ('{"listened_at": 1700000000}', "track: neither an id nor artist and title"),
        (
            '{"listened_at": 1700000000, "track_metadata": 7}',
            "track: neither an id nor artist and title",
        ),
    ],
)
def test_an_odd_line_is_kept_with_its_reason_and_line(tmp_path, bad, reason):
    bad = bad.replace("null.000000", "null")
    write(tmp_path / "e", listen(DAY + 1), "", bad, listen(DAY + 2))
    lake, report = import_export(tmp_path / "e", tmp_path / "home")
    listens = report.files[-1]
    assert (listens.received, listens.accepted, listens.quarantined) == (3, 2, 1)
    held = read_quarantine(lake).to_pylist()[0]
    assert (held["reason"], held["record"]) == (reason, 3)


def test_a_line_that_is_not_utf8_is_kept(tmp_path):
    folder = write(tmp_path / "e", listen(DAY + 1))
    with (folder / "listens/2023/11.jsonl").open("ab") as stream:
        stream.write(b'{"listened_at": 5, "x": "\xff"}\n')
    _, report = import_export(folder, tmp_path / "home")
    assert report.files[-1].reasons == {"broken encoding: expected UTF-8": 1}


def test_odd_lengths_and_tags_of_a_track_are_left_out(tmp_path):
    lines = [
        listen(DAY + 1, info={"duration_ms": "soon", "tags": "pop"}),
        listen(DAY + 2, mapped=False, info={"duration": "229", "tags": [None, 5]}),
        listen(DAY + 3, mapped=False, track_name="Other", info={"duration_ms": -1}),
    ]
    lake, report = import_export(write(tmp_path / "e", *lines), tmp_path / "home")
    lengths = {row["duration_ms"] for row in lake.read("tracks").to_pylist()}
    assert lengths == {None, 229_000}
    assert report.quarantined == 0


def test_the_zip_is_read_and_what_holds_no_listens_is_said(tmp_path):
    with zipfile.ZipFile(tmp_path / "listenbrainz_rob_1700.zip", "w") as archive:
        archive.writestr("user.json", '{"user_id": 1, "username": "rob"}\n')
        archive.writestr("listens/2023/11.jsonl", listen() + "\n")
        archive.writestr("feedback.jsonl", '{"recording_msid": "m1", "score": 1}\n')
        archive.writestr("pinned_recording.jsonl", "{}\n")
    lake, report = import_export(tmp_path / "listenbrainz_rob_1700.zip", tmp_path / "home")
    assert lake.read("listens")["user_id"].to_pylist() == ["rob"]
    assert report.notes[-1] == "No listens, so not read: feedback.jsonl, pinned_recording.jsonl."


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"username": ""}', "\n"])
def test_without_a_readable_name_the_listener_is_me(tmp_path, text):
    folder = write(tmp_path / "e", listen())
    (folder / "user.json").write_text(text)
    lake, _ = import_export(folder, tmp_path / "home")
    assert lake.read("listens")["user_id"].to_pylist() == ["me"]


def test_an_option_names_the_listener(tmp_path):
    lake, _ = import_export(write(tmp_path / "e", listen()), tmp_path / "home", user="anna")
    assert lake.read("listens")["user_id"].to_pylist() == ["anna"]


def test_an_empty_file_is_quarantined_whole(tmp_path):
    folder = write(tmp_path / "e", listen())
    (folder / "listens/2023/12.jsonl").write_text("")
    lake, report = import_export(folder, tmp_path / "home")
    assert len(lake.read("listens")) == 1
    assert report.files[-1].reasons == {"the file is empty (0 bytes)": 1}


def test_a_folder_without_listens_says_what_was_expected(tmp_path):
    (tmp_path / "feedback.jsonl").write_text("{}")
    with pytest.raises(SegueError, match=r"listens/2024/3\.jsonl, found feedback\.jsonl"):
        read_source("listenbrainz", tmp_path, {})
