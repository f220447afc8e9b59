"""A long history is one partition until its last sixty days; a short one has a partition a day."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from orchestration.beginning import begin_imported
from orchestration.home import read_home
from orchestration.partitions import day_partitions
from orchestration.settings import Settings

FIRST = date(2024, 1, 1)


def import_days(settings: Settings, folder: Path, first: date, days: int) -> None:
    folder.mkdir()
    rows = [f"u,t,{first + timedelta(days=number)}T10:00:00Z" for number in range(days)]
    (folder / "listens.csv").write_text("\n".join(["user_id,track_id,played_at", *rows]) + "\n")
    begin_imported(settings, "canonical", folder, {})


@pytest.mark.parametrize(("days", "listed"), [(120, 120), (121, 60), (200, 60)])
def test_only_the_last_days_of_a_long_history_are_partitions_of_their_own(
    settings: Settings, tmp_path: Path, days: int, listed: int
) -> None:
    import_days(settings, tmp_path / "a", FIRST, days)
    home = read_home(settings)
    assert home.first_day == FIRST
    assert len(day_partitions().get_partition_keys()) == listed


def test_days_before_the_first_partition_move_it_no_more(
    settings: Settings, tmp_path: Path
) -> None:
    import_days(settings, tmp_path / "a", FIRST, 50)
    import_days(settings, tmp_path / "b", FIRST - timedelta(days=300), 300)
    home = read_home(settings)
    assert (home.first_day, home.first_partition) == (FIRST - timedelta(days=300), FIRST)
    import_days(settings, tmp_path / "c", FIRST + timedelta(days=50), 200)
    assert read_home(settings).first_partition == FIRST
