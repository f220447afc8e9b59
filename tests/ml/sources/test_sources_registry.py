"""Choosing a format and its options."""

import pytest

from ml.errors import SegueError
from ml.sources.registry import FORMATS, read_source


def test_every_format_is_known_by_its_name():
    assert set(FORMATS) >= {
        "canonical",
        "playlog",
        "hetrec-lastfm",
        "sessions",
        "spotify-export",
        "lastfm-1k",
        "listenbrainz",
        "csv",
    }
    assert all(made.name == name for name, made in FORMATS.items())


def test_an_unknown_format_names_the_known_ones(tmp_path):
    with pytest.raises(SegueError, match=r"expected a format of canonical.*found 'spotify'"):
        read_source("spotify", tmp_path, {})


def test_an_unknown_option_names_the_known_ones(tmp_path):
    with pytest.raises(SegueError, match=r"options of days, last_day, sample, found station"):
        read_source("sessions", tmp_path, {"station": "x"})


def test_a_path_that_is_not_there_says_what_was_expected(tmp_path):
    with pytest.raises(SegueError, match="expected a folder of listens"):
        read_source("canonical", tmp_path / "missing", {})


@pytest.mark.parametrize(
    "name",
    [
        "canonical",
        "playlog",
        "hetrec-lastfm",
        "sessions",
        "spotify-export",
        "lastfm-1k",
        "listenbrainz",
        "csv",
    ],
)
def test_an_empty_folder_is_refused_with_the_way_on(tmp_path, name):
    with pytest.raises(SegueError, match=f"segue import ({name}|FORMAT)"):
        read_source(name, tmp_path, {})
