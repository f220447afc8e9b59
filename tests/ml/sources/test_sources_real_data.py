"""The readers on the real data sets, with the figures that their descriptions give."""

from datetime import date

from ml.lake.ingest import ingest, ingest_source
from ml.lake.store import Lake
from ml.sources.registry import read_source


def test_a_week_of_classic_rock_radio_with_the_song_catalogue(shared_data, tmp_path):
    catalogue = shared_data / "spotify-songs-30k" / "spotify_songs.parquet"
    folder = shared_data / "fivethirtyeight-classic-rock"
    source = read_source("playlog", folder, {"catalogue": str(catalogue)})
    lake = Lake(tmp_path)
    report = ingest_source(lake, source)

    assert (report.files[1].received, report.files[1].accepted) == (37_673, 37_647)
    assert report.files[1].reasons == {"artist or title: missing": 26}
    assert (report.first_day, report.last_day) == (date(2014, 6, 16), date(2014, 6, 22))
    assert len(set(lake.read("listens")["user_id"].to_pylist())) == 25
    assert "describes 60.7% of the plays" in report.notes[0]
    assert report.limits == ("no_play_length", "stations_not_listeners")
    assert ingest(lake, source.files).accepted == 0


def test_hetrec_lastfm(shared_data, tmp_path):
    source = read_source("hetrec-lastfm", shared_data / "hetrec2011-lastfm-2k", {})
    report = ingest(Lake(tmp_path), source.files)

    assert (report.files[1].accepted, report.files[1].quarantined) == (71_062, 5)
    assert (report.first_day, report.last_day) == (date(2005, 8, 1), date(2011, 5, 1))


def test_nowplaying_sessions_sampled(shared_data, tmp_path):
    source = read_source("sessions", shared_data / "nowplaying-sessions", {"sample": "2000"})
    lake = Lake(tmp_path)
    report = ingest(lake, source.files)

    assert report.files[0].quarantined == 0
    assert len(lake.days("listens")) == 60
    assert len(set(lake.read("listens")["user_id"].to_pylist())) == 2_000


def test_a_lastfm_event_log_as_playlog(shared_data, tmp_path):
    options = {
        "listener": "user_id",
        "time": "timestamp",
        "artist": "artist_name",
        "title": "track_name",
    }
    folder = shared_data / "lastfm-1k-sample"
    report = ingest(Lake(tmp_path), read_source("playlog", folder, options).files)
    assert (report.files[1].received, report.files[1].accepted) == (5_000, 5_000)
