"""Play logs: times, names, one song in several spellings, the catalogue."""

from datetime import UTC, date, datetime

import pytest

from ml.errors import SegueError
from ml.lake.ingest import ingest
from ml.lake.quarantine import read_quarantine
from ml.lake.store import Lake
from ml.sources.files import connect
from ml.sources.registry import read_source
from ml.sources.songs import define_song_key

PLAYS = """time,callsign,artist,song
1402943314,KGLK,AC/DC,Back In Black
1402943315,KGB,AC/DC,Back In Black
1402943300,KGB,AC-DC,Back in Black (Live) - 2003 Remaster
2014-06-16T18:28:34Z,KGB,Kiss,Beth
2014-06-16 18:28:34,KGB,Kiss,Beth
1402943314000,KGLK,Kiss,Beth
1402943316,KGB,,Nameless
"""
CATALOGUE = """track_artist,track_name,track_album_name,track_album_release_date,playlist_genre,tempo
AC/DC,Back in Black,Hits,2011-01-01,pop,1
AC/DC,Back in Black - Remastered,Back in Black,1980-07,rock,2
KISS,Beth,Reissue,2019,rock,3
"""


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Don't Stop (Thinkin') [Live] - 2004 Remaster", "dont-stop"),
        ("Señorita feat. Somebody", "senorita"),
        ("A.C./D.C.", "ac-dc"),
        ("いい子たね", "いい子たね"),
        ("   ", None),
        (None, None),
    ],
)
def test_spellings_of_a_song_share_a_key(text, key):
    with connect() as connection:
        define_song_key(connection)
        assert connection.execute("select song_key(?::varchar)", [text]).fetchall() == [(key,)]


def test_a_text_without_letters_keeps_a_key_of_its_own():
    with connect() as connection:
        define_song_key(connection)
        keys = connection.execute("select song_key('???'), song_key('!!!')").fetchall()[0]
    assert None not in keys
    assert keys[0] != keys[1]


def import_log(tmp_path, **options):
    (tmp_path / "plays.csv").write_text(PLAYS)
    lake = Lake(tmp_path / "home")
    source = read_source("playlog", tmp_path, options)
    return lake, source, ingest(lake, source.files)


def test_numbers_are_unix_times_and_naive_texts_are_quarantined(tmp_path):
    lake, source, report = import_log(tmp_path)
    listens = report.files[1]
    assert (listens.received, listens.accepted, listens.quarantined) == (7, 5, 2)
    assert listens.reasons == {
        "artist or title: missing": 1,
        "played_at: a time without a zone": 1,
    }
    held = read_quarantine(lake)
    assert held["record"].to_pylist() == [5, 7]
    assert '"song":"Beth"' in held["raw"][0].as_py()
    beth = [row for row in lake.read("listens").to_pylist() if row["track_id"] == "kiss:beth"]
    assert {row["played_at"] for row in beth} == {datetime(2014, 6, 16, 18, 28, 34, tzinfo=UTC)}
    assert {row["surface"] for row in beth} == {"radio"}
    assert source.limits == ("no_play_length", "stations_not_listeners")


def test_a_zone_given_as_option_dates_naive_times(tmp_path):
    lake, _, report = import_log(tmp_path, zone="America/New_York", surface="unknown")
    assert report.files[1].accepted == 6
    moments = [row["played_at"].hour for row in lake.read("listens").to_pylist()]
    assert 22 in moments


def test_an_unknown_zone_is_refused(tmp_path):
    with pytest.raises(SegueError, match="expected a zone like Europe/Vienna, found 'Mars'"):
        import_log(tmp_path, zone="Mars")


def test_a_track_bears_its_most_frequent_spelling_from_its_first_play_on(tmp_path):
    lake, _, _ = import_log(tmp_path)
    tracks = {row["track_id"]: row for row in lake.read("tracks").to_pylist()}
    assert sorted(tracks) == ["ac-dc:back-in-black", "kiss:beth"]
    black = tracks["ac-dc:back-in-black"]
    assert (black["title"], black["artist_name"], black["artist_id"]) == (
        "Back In Black",
        "AC/DC",
        "ac-dc",
    )
    assert black["known_at"] == datetime.fromtimestamp(1402943300, UTC)


def test_the_catalogue_describes_songs_by_their_first_release_and_never_by_a_later_one(tmp_path):
    (tmp_path / "songs").mkdir()
    catalogue = tmp_path / "songs" / "catalogue.csv"
    catalogue.write_text(CATALOGUE)
    lake, source, _ = import_log(tmp_path, catalogue=str(catalogue))
    tracks = {row["track_id"]: row for row in lake.read("tracks").to_pylist()}
    black, beth = tracks["ac-dc:back-in-black"], tracks["kiss:beth"]
    assert (black["album"], black["released_on"], black["tempo"]) == (
        "Back in Black",
        date(1980, 7, 1),
        2.0,
    )
    assert black["genres"] == ["pop", "rock"]
    assert (beth["released_on"], beth["tempo"]) == (None, 3.0)
    assert source.notes == (
        "The catalogue catalogue.csv describes 100.0% of the plays (2 of 2 tracks).",
    )


def test_missing_columns_say_which_option_names_them(tmp_path):
    (tmp_path / "log.csv").write_text("when,who,artist,title\n")
    with pytest.raises(
        SegueError, match="--option time=COLUMN --option listener=COLUMN --option title="
    ):
        read_source("playlog", tmp_path / "log.csv", {})


def test_several_files_without_a_plays_file_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x\n")
    (tmp_path / "b.csv").write_text("x\n")
    with pytest.raises(SegueError, match=r"found a\.csv, b\.csv"):
        read_source("playlog", tmp_path, {})


def test_a_log_that_cannot_be_read_is_quarantined_whole(tmp_path):
    (tmp_path / "plays.parquet").write_bytes(b"PAR1")
    lake = Lake(tmp_path / "home")
    report = ingest(lake, read_source("playlog", tmp_path, {}).files)
    assert (report.files[0].received, report.files[0].quarantined) == (1, 1)
