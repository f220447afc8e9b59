"""Every kind of bad row or file: counted, kept with reason and place, harmless to the lake."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.errors import SegueError
from ml.lake.ingest import ingest, ingest_table
from ml.lake.quarantine import read_quarantine
from ml.sources.registry import read_source

BAD_COLUMNS = [
    ("played_at", "2026-03-01T10:00:00", "played_at: a time without a zone"),
    ("played_at", "2026-03-01", "played_at: a time without a zone"),
    ("played_at", "yesterday", "played_at: not a time"),
    ("played_at", "2026-13-01T10:00:00Z", "played_at: not a time"),
    ("played_at", "1969-12-31T10:00:00Z", "played_at: an impossible year"),
    ("played_at", None, "played_at: missing"),
    ("user_id", None, "user_id: missing"),
    ("track_id", "  ", "track_id: missing"),
    ("ms_played", "-1", "ms_played: negative"),
    ("ms_played", "3.7", "ms_played: not a whole number"),
    ("ms_played", "long", "ms_played: not a whole number"),
    ("surface", "car", "surface: not one of home, now_playing, search, library, radio, unknown"),
]


def folder_with(tmp_path: Path, **files: bytes | pa.Table) -> Path:
    """A folder with the files; a double underscore in a name stands for the dot."""
    folder = tmp_path / "export"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        target = folder / name.replace("__", ".")
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            pq.write_table(content, target)
    return folder


def import_folder(lake, folder):
    return ingest(lake, read_source("canonical", folder, {}).files)


@pytest.mark.parametrize(("column", "value", "reason"), BAD_COLUMNS)
def test_a_bad_value_is_quarantined_with_reason_place_and_content(
    lake, make_listens, counts, column, value, reason
):
    listens = make_listens(2)
    values = listens[column].to_pylist()
    listens = listens.set_column(
        listens.column_names.index(column), column, pa.array([values[0], value], pa.string())
    )

    report = ingest_table(lake, "listens", listens, "day.csv")

    assert counts(report) == [(2, 1, 0, 1)]
    assert report.files[0].reasons == {reason: 1}
    held = read_quarantine(lake).to_pylist()[0]
    assert (held["source_file"], held["record"], held["reason"]) == ("day.csv", 2, reason)
    assert json.loads(held["raw"])[column] == value
    assert lake.read("listens")["listen_id"].to_pylist() == ["l0"]


def test_a_listen_later_than_its_arrival_is_quarantined(lake, make_listens, counts):
    listens = make_listens(2, known_at=["2026-03-01T10:00:00Z", "2026-03-01T10:59:59Z"])
    report = ingest_table(lake, "listens", listens, "day")
    assert counts(report) == [(2, 1, 0, 1)]
    assert report.files[0].reasons == {"played_at: later than known_at": 1}


def test_a_column_of_a_wrong_type_quarantines_its_rows_and_names_both_types(
    lake, make_listens, counts
):
    report = ingest_table(lake, "listens", make_listens(2, played_at=[True, False]), "day")
    assert counts(report) == [(2, 0, 0, 2)]
    assert report.files[0].reasons == {"played_at: expected a time, found a column of type bool": 2}


def test_a_naive_time_column_is_quarantined_and_one_of_another_zone_converted(
    lake, make_listens, counts
):
    naive = pa.array([0, 1], pa.timestamp("s"))
    assert counts(ingest_table(lake, "listens", make_listens(2, played_at=naive), "a")) == [
        (2, 0, 0, 2)
    ]
    zoned = pa.array([1_772_359_200, 1_772_362_800], pa.timestamp("s", tz="Asia/Tokyo"))
    assert counts(ingest_table(lake, "listens", make_listens(2, played_at=zoned), "b")) == [
        (2, 2, 0, 0)
    ]
    assert [at.hour for at in lake.read("listens")["played_at"].to_pylist()] == [10, 11]


def test_a_double_with_the_same_content_is_known_and_with_other_content_quarantined(
    lake, make_listens, counts
):
    listens = make_listens(
        3,
        listen_id=["a", "a", "a"],
        track_id=["t", "t", "other"],
        played_at=["2026-03-01T10:00:00Z"] * 3,
    )
    report = ingest_table(lake, "listens", listens, "day")
    assert counts(report) == [(3, 1, 1, 1)]
    assert report.files[0].reasons == {"listen_id: known with other content": 1}


def test_an_id_known_with_other_content_on_another_day_is_quarantined(lake, make_listens, counts):
    ingest_table(lake, "listens", make_listens(1), "first")
    later = make_listens(1, played_at=["2026-04-01T10:00:00Z"])
    report = ingest_table(lake, "listens", later, "second")
    assert counts(report) == [(1, 0, 0, 1)]
    assert lake.read("listens").num_rows == 1


def test_a_track_without_a_title_and_a_listen_of_an_unknown_user_are_accepted(
    lake, make_listens, counts
):
    tracks = pa.table({"track_id": ["t0"], "title": [""], "known_at": ["2026-03-01T00:00:00Z"]})
    assert counts(ingest_table(lake, "tracks", tracks, "tracks")) == [(1, 1, 0, 0)]
    assert lake.read("tracks")["title"].to_pylist() == [None]
    never_seen = make_listens(1, user_id=["nobody knows me"])
    assert counts(ingest_table(lake, "listens", never_seen, "day")) == [(1, 1, 0, 0)]


def test_impressions_are_judged_by_position_propensity_and_arrival(lake, counts):
    impressions = pa.table(
        {
            "request_id": ["r", "r", "r", "r"],
            "position": [0, -1, 2, 3],
            "user_id": ["anna"] * 4,
            "surface": ["home"] * 4,
            "shown_at": ["2026-03-01T10:00:00Z"] * 4,
            "track_id": ["t"] * 4,
            "propensity": [1.0, 1.0, 1.5, float("nan")],
        }
    )
    assert counts(ingest_table(lake, "impressions", impressions, "shown")) == [(4, 2, 0, 2)]


def test_missing_columns_name_what_was_expected_and_found_and_harm_nothing(lake, make_listens):
    ingest_table(lake, "listens", make_listens(2), "good")
    before = lake.read("listens")
    with pytest.raises(SegueError, match=r"expected the columns .*track_id.* missing: track_id"):
        ingest_table(lake, "listens", make_listens(2).drop_columns(["track_id"]), "bad")
    assert lake.read("listens") == before


def test_a_folder_with_a_file_that_misses_columns_is_refused_before_anything_is_stored(
    lake, tmp_path
):
    folder = folder_with(
        tmp_path,
        tracks__csv=b"track_id,known_at\nt0,2026-03-01T00:00:00Z\n",
        listens__csv=b"user_id,track_id\nanna,t0\n",
    )
    with pytest.raises(SegueError, match=r"listens\.csv.*missing: played_at"):
        import_folder(lake, folder)
    assert lake.days("tracks") == []


def test_broken_encodings_and_ragged_lines_keep_their_record_and_bytes(lake, tmp_path, counts):
    folder = folder_with(
        tmp_path,
        listens__csv=b"listen_id,user_id,track_id,played_at\n"
        b"a,anna,t0,2026-03-01T10:00:00Z\n"
        b"b,Mot\xf6rhead,t0,2026-03-01T11:00:00Z\n"
        b"c,anna,t0\n"
        b"d,\xff,t0,2026-03-01T11:00:00Z,more\n"
        b"e,Mot\xc3\xb6rhead,t0,2026-03-01T12:00:00Z\n",
    )
    assert counts(import_folder(lake, folder)) == [(5, 2, 0, 3)]
    held = {row["record"]: row for row in read_quarantine(lake).to_pylist()}
    assert sorted(held) == [2, 3, 4]
    assert held[2]["reason"] == "broken encoding: expected UTF-8"
    assert "\\xf6" in json.loads(held[2]["raw"])["user_id"]
    assert held[3]["reason"] == "expected 4 columns, found 3"
    assert json.loads(held[3]["raw"]) == {"line": "c,anna,t0"}
    assert "Motörhead" in lake.read("listens")["user_id"].to_pylist()


def test_text_in_parquet_that_is_not_utf8_is_quarantined_by_row(lake, make_listens, counts):
    bad = pa.Array.from_buffers(pa.string(), 2, pa.array([b"anna", b"\xff"]).buffers())
    report = ingest_table(lake, "listens", make_listens(2, user_id=bad), "day")
    assert counts(report) == [(2, 1, 0, 1)]
    assert json.loads(read_quarantine(lake)["raw"][0].as_py())["user_id"] == "\\xFF"


def test_unreadable_files_are_kept_whole_and_the_rest_is_imported(
    lake, tmp_path, make_listens, counts
):
    folder = folder_with(
        tmp_path, listens__parquet=make_listens(2), users__csv=b"", tracks__parquet=b"PAR1 cut"
    )
    report = import_folder(lake, folder)
    by_table = dict(zip([file.table for file in report.files], counts(report), strict=True))
    assert by_table == {"tracks": (1, 0, 0, 1), "users": (1, 0, 0, 1), "listens": (2, 2, 0, 0)}
    held = {row["table"]: row for row in read_quarantine(lake).to_pylist()}
    assert held["users"]["reason"] == "the file is empty (0 bytes)"
    assert Path(held["tracks"]["raw"]).read_bytes() == b"PAR1 cut"


def test_a_truncated_parquet_file_harms_nothing_that_is_in_the_lake(
    lake, tmp_path, make_listens, counts
):
    folder = folder_with(tmp_path, listens__parquet=make_listens(2))
    import_folder(lake, folder)
    before = lake.read("listens")
    whole = (folder / "listens.parquet").read_bytes()
    (folder / "listens.parquet").write_bytes(whole[: len(whole) // 2])
    assert counts(import_folder(lake, folder)) == [(1, 0, 0, 1)]
    assert lake.read("listens") == before


def test_a_file_with_a_header_and_no_rows_is_received_as_nothing(lake, tmp_path, counts):
    folder = folder_with(tmp_path, listens__csv=b"user_id,track_id,played_at\n")
    assert counts(import_folder(lake, folder)) == [(0, 0, 0, 0)]


def test_a_folder_without_files_says_what_to_put_there(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(SegueError, match=r"files named after the tables.*found notes\.txt"):
        read_source("canonical", tmp_path, {})


def test_an_unknown_table_names_the_tables(lake, make_listens):
    with pytest.raises(
        SegueError, match="expected a table of listens, tracks, users, friendships, impressions"
    ):
        ingest_table(lake, "plays", make_listens(1), "x")
