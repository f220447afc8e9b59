"""The canonical format: files by name, and what dates an undated catalogue."""

from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.errors import SegueError
from ml.lake.ingest import ingest
from ml.lake.store import Lake
from ml.sources.registry import read_source

LISTENS = """user_id,track_id,played_at
anna,t0,2026-03-03T10:00:00+01:00
anna,t1,2026-03-02T00:30:00+01:00
ben,t1,naive
"""


def test_files_and_folders_of_all_tables_are_read_metadata_first(tmp_path):
    (tmp_path / "listens").mkdir()
    (tmp_path / "listens.csv").write_text(LISTENS)
    (tmp_path / "listens" / "more.csv").write_text(LISTENS)
    (tmp_path / "readme.csv").write_text("not a table")
    users = pa.table({"user_id": ["anna"], "signed_up_on": ["2026-03-05"]})
    pq.write_table(users, tmp_path / "users.parquet")

    source = read_source("canonical", tmp_path, {})

    names = [file.path.removeprefix(f"{tmp_path.name}/") for file in source.files]
    assert names == ["users.parquet", "listens.csv", "listens/more.csv"]


def test_undated_tracks_are_known_from_the_first_listen_or_their_release(tmp_path):
    (tmp_path / "listens.csv").write_text(LISTENS)
    (tmp_path / "tracks.csv").write_text(
        "track_id,released_on,tags\nt0,1999-01-01,a|b\nt1,2026-03-09,\nt2,,c\n"
    )
    source = read_source("canonical", tmp_path, {})
    lake = Lake(tmp_path / "home")
    ingest(lake, source.files)
    known = {row["track_id"]: row["known_at"].date() for row in lake.read("tracks").to_pylist()}
    assert known == {"t0": date(2026, 3, 1), "t1": date(2026, 3, 9), "t2": date(2026, 3, 1)}
    assert source.notes[0].startswith(
        "tracks.csv has no known_at: its rows count as known from 2026-03-01"
    )


def test_an_undated_catalogue_alone_asks_for_its_day(tmp_path):
    (tmp_path / "tracks.csv").write_text("track_id\nt0\n")
    with pytest.raises(SegueError, match="--option known_at=YYYY-MM-DD"):
        read_source("canonical", tmp_path, {})
    lake = Lake(tmp_path / "home")
    ingest(lake, read_source("canonical", tmp_path, {"known_at": "2026-02-01"}).files)
    assert lake.days("tracks") == [date(2026, 2, 1)]


def test_compressed_csv_and_quoted_line_breaks_are_read(tmp_path):
    content = 'track_id,title,known_at\nt0,"Line\nBreak, Comma",2026-01-01T00:00:00Z\n'
    with pa.output_stream(str(tmp_path / "tracks.csv.gz"), compression="gzip") as stream:
        stream.write(content.encode())
    lake = Lake(tmp_path / "home")
    ingest(lake, read_source("canonical", tmp_path, {}).files)
    assert lake.read("tracks")["title"].to_pylist() == ["Line\nBreak, Comma"]


def test_columns_that_stand_twice_quarantine_the_file(tmp_path):
    (tmp_path / "users.csv").write_text("user_id,user_id,known_at\na,b,2026-01-01T00:00:00Z\n")
    report = ingest(Lake(tmp_path / "home"), read_source("canonical", tmp_path, {}).files)
    assert report.files[0].reasons == {"columns stand twice in it: user_id": 1}
