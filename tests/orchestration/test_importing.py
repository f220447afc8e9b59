"""`segue import` says what it recognised, and what it expects when it recognises nothing."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ml.lake.store import Lake
from orchestration.cli.main import app
from orchestration.home import read_home
from orchestration.settings import Settings
from tests.ml.sources.simulated_spotify import row, track

ENDED = datetime(2024, 3, 1, 12, 0, 30, tzinfo=UTC)


def segue(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["import", *arguments])


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A Spotify export of one listen and one podcast."""
    folder = tmp_path / "Spotify Extended Streaming History"
    folder.mkdir()
    podcast = row(ENDED, 9, episode_name="One", spotify_episode_uri="spotify:episode:1")
    rows = [row(ENDED, 90_000, **track(1, 1)), podcast]
    (folder / "Streaming_History_Audio_2024_0.json").write_text(json.dumps(rows))
    return folder


def test_a_path_alone_is_recognised_and_that_is_said(settings: Settings, export: Path) -> None:
    result = segue(str(export))
    assert result.exit_code == 0, result.output
    assert "Recognised spotify-export: Streaming_History_Audio_2024_0.json" in flat(result.output)
    assert "1 (no music: a podcast)" in flat(result.output)
    assert read_home(settings).source.format == "spotify-export"
    assert len(Lake(settings.home).read("listens")) == 1


def test_a_named_format_is_taken_at_its_word(settings: Settings, export: Path) -> None:
    result = segue("spotify-export", str(export), "--option", "user=anna")
    assert result.exit_code == 0, result.output
    assert "Recognised" not in result.output
    assert Lake(settings.home).read("listens")["user_id"].to_pylist() == ["anna"]


def test_what_is_not_recognised_lists_the_formats(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "report.txt").write_text("hello")
    result = segue(str(tmp_path / "report.txt"))
    assert result.exit_code == 1
    assert "found report.txt" in flat(result.output)
    assert "listenbrainz: the zip or folder of a ListenBrainz export" in flat(result.output)
    assert not settings.home_file.exists()


def test_more_than_a_format_and_a_path_are_refused(settings: Settings) -> None:
    result = segue("csv", "one", "two")
    assert result.exit_code == 1
    assert "found 3 words: segue import [FORMAT] PATH" in flat(result.output)
