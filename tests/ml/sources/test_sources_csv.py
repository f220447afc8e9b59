"""Any delimited file, told by a mapping: its values, its odd rows, its errors."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ml.errors import SegueError
from ml.lake.ingest import ingest_source
from ml.lake.quarantine import read_quarantine
from ml.lake.store import Lake
from ml.sources.mapping import load_mapping
from ml.sources.registry import read_source

PLAYS = """who;when;secs;artist;song
anna;01.02.2024 10:00:00;200,5;Björk;Jóga
anna;01.07.2024 10:00:00;61;björk;JÓGA
ben;soon;61;Björk;Jóga
ben;01.02.2024 11:00:00;long;Björk;Jóga
ben;01.02.2024 11:00:00;5
;01.02.2024 12:00:00;5;Björk;Jóga
ben;01.02.2024 13:00:00;;Björk;-
"""
MAPPING = """
delimiter: ";"
nulls: ["", "-"]
listens:
  files: plays*.csv
  columns:
    user_id: who
    played_at: {column: when, format: "%d.%m.%Y %H:%M:%S", zone: Europe/Vienna}
    ms_played: {column: secs, unit: s}
    artist_name: artist
    title: song
  constants:
    surface: radio
"""


def import_mapped(tmp_path, mapping=MAPPING, **files):
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    (folder / "mapping.yaml").write_text(mapping)
    for name, content in (files or {"plays": PLAYS.replace(",5", ".5")}).items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / f"{name}.csv").write_bytes(data)
    lake = Lake(tmp_path / "home")
    return lake, ingest_source(lake, read_source("csv", folder, {}))


def listens(columns, **more):
    told = "\n".join(f"    {key}: {value}" for key, value in columns.items())
    rest = "\n".join(f"{key}: {value}" for key, value in more.items())
    return f"{rest}\nlistens:\n  files: plays.csv\n  columns:\n{told}\n"


BASIC = {"user_id": "a", "track_id": "b", "played_at": "c"}


def test_columns_are_mapped_with_zone_unit_and_constants(tmp_path):
    lake, report = import_mapped(tmp_path)
    rows = lake.read("listens").sort_by("played_at").to_pylist()
    assert [row["played_at"].hour for row in rows] == [9, 8]
    assert [row["ms_played"] for row in rows] == [200_500, 61_000]
    assert {row["surface"] for row in rows} == {"radio"}
    assert rows[0]["track_id"] == rows[1]["track_id"]
    assert rows[0]["track_id"].startswith("name:")
    track = lake.read("tracks").to_pylist()[0]
    assert (track["title"], track["artist_name"], track["known_at"].hour) == ("Jóga", "Björk", 9)
    assert report.files[1].received == 7


def test_rows_that_the_mapping_does_not_fit_are_kept_with_reason_and_place(tmp_path):
    lake, report = import_mapped(tmp_path)
    assert report.files[1].reasons == {
        "expected 5 columns, found 3": 1,
        "ms_played: not what the mapping says": 1,
        "played_at: not what the mapping says": 1,
        "track_id: missing": 1,
        "user_id: missing": 1,
    }
    held = {row["record"]: row["raw"] for row in read_quarantine(lake).to_pylist()}
    assert sorted(held) == [3, 4, 5, 6, 7]
    assert '"when":"soon"' in held[3].replace(" ", "")


@pytest.mark.parametrize(
    ("text", "told", "hour"),
    [
        ("1706781600", "{column: c, unit: s}", 10),
        ("1706781600000", "{column: c, unit: ms}", 10),
        ("1706781600000000", "{column: c, unit: us}", 10),
        ("1706781600.25", "{column: c, unit: s}", 10),
        ("2024-02-01T10:00:00Z", "c", 10),
        ("2024-02-01 10:00:00", "{column: c, zone: Europe/Vienna}", 9),
        ("2024-02-01T10:00:00+03:00", "{column: c, zone: Europe/Vienna}", 7),
        ("2024-02-01 10:00 +0300", "{column: c, format: '%Y-%m-%d %H:%M %z'}", 7),
        ("02/01/2024 10:00 AM", "{column: c, format: '%m/%d/%Y %I:%M %p', zone: UTC}", 10),
    ],
)
def test_times_are_read_as_the_mapping_says(tmp_path, text, told, hour):
    lake, _ = import_mapped(
        tmp_path, listens({**BASIC, "played_at": told}), plays=f"a,b,c\nu,t,{text}\n"
    )
    played = lake.read("listens")["played_at"].to_pylist()
    assert [(one.date(), one.hour) for one in played] == [(date(2024, 2, 1), hour)]


def test_a_time_without_a_zone_is_not_guessed(tmp_path):
    text = "a,b,c\nu,t,2024-02-01 10:00:00\nu,t,2024-02-01T10:00:00Z\n"
    _, report = import_mapped(tmp_path, listens(BASIC), plays=text)
    assert report.files[0].reasons == {"played_at: not what the mapping says": 1}


def test_an_encoding_and_rows_that_are_not_in_it(tmp_path):
    latin = "a,b,c\nJörg,t,2024-02-01T10:00:00Z\n".encode("latin-1")
    lake, _ = import_mapped(tmp_path, listens(BASIC, encoding="latin-1"), plays=latin)
    assert lake.read("listens")["user_id"].to_pylist() == ["Jörg"]
    good = b"u,t,2024-02-01T10:00:00Z\n"
    _, report = import_mapped(tmp_path, listens(BASIC), plays=latin + good)
    assert report.files[0].reasons == {"broken encoding: not the one of the mapping": 1}


def test_a_file_without_header_has_its_names_from_the_mapping(tmp_path):
    lake, _ = import_mapped(
        tmp_path,
        listens(BASIC, header="[a, b, c]", delimiter='"\\t"', quote='""', skip_lines="1"),
        plays='exported\nu\tsay "hello\t2024-02-01T10:00:00Z\n',
    )
    assert lake.read("listens")["track_id"].to_pylist() == ['say "hello']


def test_several_columns_make_an_id(tmp_path):
    text = "a,b,c,d\nu,X,2024-02-01T10:00:00Z,Y\nu,x,2024-02-01T11:00:00Z,y\nu,,2024-02-01T12:00:00Z,y\n"
    lake, report = import_mapped(tmp_path, listens({**BASIC, "track_id": "[b, d]"}), plays=text)
    assert len(set(lake.read("listens")["track_id"].to_pylist())) == 1
    assert report.files[0].reasons == {"track_id: missing": 1}


def test_tracks_and_users_come_from_files_of_their_own(tmp_path):
    mapping = (
        listens(BASIC)
        + """
tracks:
  files: songs.csv
  columns:
    track_id: id
    title: name
    genres: kinds
    duration_ms: {column: min, unit: min}
    released_on: {column: out, format: "%d/%m/%Y"}
users:
  files: people.csv
  columns: {user_id: id, country: land, birth_year: born}
"""
    )
    lake, report = import_mapped(
        tmp_path,
        mapping,
        plays="a,b,c\nu,t,2024-02-01T10:00:00Z\n",
        songs="id,name,kinds,min,out\nt,Jóga,pop|art,5.5,31/12/1997\nv,Bad,,x,\nw,Odd,,1,soon\n",
        people="id,land,born\nu,AT,1990\nw,DE,old\n",
    )
    track = lake.read("tracks").to_pylist()[0]
    assert (track["title"], track["genres"]) == ("Jóga", ["pop", "art"])
    assert (track["duration_ms"], track["released_on"]) == (330_000, date(1997, 12, 31))
    assert track["known_at"] == datetime(2024, 2, 1, tzinfo=UTC)
    reasons = {file.path: file.reasons for file in report.files}
    assert reasons["songs.csv"] == {
        "duration_ms: not what the mapping says": 1,
        "released_on: not a date": 1,
    }
    assert reasons["people.csv"] == {"birth_year: not a whole number": 1}
    assert [file.table for file in report.files] == ["tracks", "users", "listens"]


def test_the_mapping_may_lie_elsewhere_or_be_the_path_itself(tmp_path):
    (tmp_path / "one.csv").write_text("a,b,c\nu,t,2024-02-01T10:00:00Z\n")
    other = tmp_path / "map" / "mine.yml"
    other.parent.mkdir()
    other.write_text(listens(BASIC).replace("  files: plays.csv\n", ""))
    source = read_source("csv", tmp_path / "one.csv", {"mapping": str(other)})
    assert ingest_source(Lake(tmp_path / "home"), source).accepted == 1
    beside = tmp_path / "beside.yaml"
    beside.write_text(listens(BASIC).replace("plays.csv", "one.csv"))
    again = ingest_source(Lake(tmp_path / "home"), read_source("csv", beside, {}))
    assert (again.accepted, again.files[0].already_known) == (0, 1)


def test_a_file_that_cannot_be_read_is_quarantined_whole(tmp_path):
    _, report = import_mapped(tmp_path, plays1="", plays2=PLAYS)
    assert report.files[1].reasons == {"the file is empty (0 bytes)": 1}
    assert report.files[2].received == 7


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ("listens: [", "expected a mapping in YAML"),
        ("- a", "expected keys such as listens"),
        ("delimiter: ','", "listens: field required"),
        ("delimitr: ','\n" + listens(BASIC), "delimitr: not a known key"),
        (listens(BASIC, encoding="utf-9"), "encoding: value error, no such encoding"),
        (listens({**BASIC, "playd_at": "c"}), "listens: no such column playd_at; expected columns"),
        (listens({"user_id": "a", "track_id": "b"}), "listens.columns: missing played_at"),
        (
            listens({"user_id": "a", "played_at": "c", "title": "b"}),
            r"missing track_id \(or title and artist_name\)",
        ),
        (
            listens({**BASIC, "played_at": "{column: c, formt: x}"}),
            "listens.columns.played_at.formt: not a known key",
        ),
        (
            listens({**BASIC, "played_at": "{column: c, format: '%Y'}"}),
            "listens.columns.played_at: expected the zone of its times",
        ),
        (
            listens({**BASIC, "played_at": "{column: c, unit: min}"}),
            "listens.columns.played_at.unit: expected us, ms, s, found min",
        ),
        (
            listens({**BASIC, "user_id": "{column: a, zone: UTC}"}),
            "listens.columns.user_id: format and zone belong to times",
        ),
        (
            listens({**BASIC, "played_at": "{column: c, format: '%Y', unit: s, zone: UTC}"}),
            "expected a format or a unit, found both",
        ),
        (
            listens({**BASIC, "played_at": "{column: c, format: '%Q', zone: UTC}"}),
            "listens.columns.played_at.format: expected a format like",
        ),
        (
            listens({**BASIC, "played_at": "{column: c, zone: Mars}"}),
            "listens.columns.played_at.zone: expected a zone like Europe/Vienna, found 'Mars'",
        ),
        (
            listens({**BASIC, "played_at": "[b, c]"}),
            "listens.columns.played_at: expected one column",
        ),
        (
            listens({**BASIC, "user_id": "who"}),
            r"not a column of plays.csv: listens.columns.user_id: 'who'; found a, b, c",
        ),
        (listens(BASIC).replace("plays.csv", "p*.tsv"), r"no file in .* fits 'p\*.tsv', found"),
        (listens(BASIC).replace("  files: plays.csv\n", ""), "listens.files: expected a pattern"),
    ],
)
def test_a_wrong_mapping_names_its_wrong_key(tmp_path, mapping, told):
    with pytest.raises(SegueError, match=told):
        import_mapped(tmp_path, mapping, plays="a,b,c\nu,t,2024-02-01T10:00:00Z\n")


def test_a_folder_without_a_mapping_says_how_to_give_one(tmp_path):
    with pytest.raises(SegueError, match="--option mapping=FILE"):
        read_source("csv", tmp_path, {})


def test_the_mappings_of_the_manual_are_mappings():
    manual = Path(__file__).resolve().parents[3] / "docs" / "import"
    found = sorted(manual.glob("*.yaml"))
    assert found
    assert all(load_mapping(path).listens.columns for path in found)
