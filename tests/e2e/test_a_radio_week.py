"""The whole graph on a real week of radio plays: 25 stations, no play lengths, a catalogue by name."""

import subprocess
import sys
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.e2e


def segue(home: Path, *arguments: str) -> str:
    command = [sys.executable, "-c", "from orchestration.cli.main import main; main()", *arguments]
    environment = {"SEGUE_HOME": str(home), "PATH": "/usr/bin:/bin"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    return result.stdout


@pytest.fixture(scope="module")
def told(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The home of a demo on the radio data, and what it printed."""
    plays = shared_data / "fivethirtyeight-classic-rock"
    songs = shared_data / "spotify-songs-30k" / "spotify_songs.parquet"
    if not plays.is_dir() or not songs.is_file():
        pytest.skip("the radio plays or their catalogue are not beside this checkout")
    home = tmp_path_factory.mktemp("radio") / "home"
    options = ("--data", str(plays), "--format", "playlog", "--option", f"catalogue={songs}")
    return home, segue(home, "demo", *options)


def test_every_play_received_is_accounted_for(told: tuple[Path, str]) -> None:
    row = next(
        line for line in told[1].splitlines() if "listens" in line and "plays.parquet" in line
    )
    received, accepted, known, quarantined = (
        int(cell.strip().replace(",", "")) for cell in row.split("│")[3:7]
    )
    assert received == 37_673
    assert received == accepted + known + quarantined


def test_what_the_data_cannot_support_is_said(told: tuple[Path, str]) -> None:
    assert "no_play_length" in told[1]
    assert "stations_not_listeners" in told[1]


def test_the_share_of_plays_that_the_catalogue_describes_is_said(told: tuple[Path, str]) -> None:
    assert "describes 60.7% of the plays" in told[1]


def test_the_last_days_are_lived_with_lists_for_all_stations(told: tuple[Path, str]) -> None:
    days = sorted((told[0] / "artifacts" / "recommendations").glob("day=*/part.parquet"))
    assert [path.parent.name for path in days] == ["day=2014-06-21", "day=2014-06-22"]
    for path in days:
        lists = pq.read_table(path, partitioning=None)
        assert pc.count_distinct(lists["user_id"]).as_py() == 25


def test_five_reports_stand_for_each_lived_day(told: tuple[Path, str]) -> None:
    assert len(list((told[0] / "reports").glob("day=*/*.html"))) == 10
    assert "2014-06-21" in segue(told[0], "review")
