"""Rows of a damaged file are received again where they can be; elsewhere the day is refused with the way on."""

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.lake.damage import DamagedLakeError, still_missing
from ml.lake.quarantine import read_quarantine
from ml.lake.report import ImportReport
from ml.lake.store import Lake
from orchestration.beginning import FIRST_DAY, World, begin_imported, begin_simulated
from orchestration.cli.health import lake_is_whole
from orchestration.home import read_home
from orchestration.receiving import receive
from orchestration.settings import Settings

DAYS = [FIRST_DAY + timedelta(days=number) for number in range(4)]
WORLD = World(listeners=20, tracks=100, days=3, seed=3)


def harm(path: Path) -> None:
    """Cut the end off, as a disk that lost its last blocks does."""
    path.write_bytes(path.read_bytes()[:-300])


def rows(settings: Settings, table: str = "listens") -> pa.Table:
    return Lake(settings.home).read(table).sort_by([("listen_id", "ascending")])


def live(settings: Settings, first: date, end: date) -> ImportReport:
    return receive(settings, read_home(settings), first, end)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated home with three days, each a file of its own."""
    settings = Settings(tmp_path_factory.mktemp("made") / "home")
    begin_simulated(settings, WORLD)
    for day, end in pairwise(DAYS):
        live(settings, day, end)
    return settings.home


@pytest.fixture
def simulated(made: Path, settings: Settings) -> Settings:
    shutil.copytree(made, settings.home)
    return settings


@pytest.fixture
def imported(made: Path, settings: Settings, tmp_path: Path) -> Settings:
    """A home that imported the listens of three days from one file."""
    (tmp_path / "files").mkdir()
    pq.write_table(Lake(made).read("listens"), tmp_path / "files" / "listens.parquet")
    begin_imported(settings, "canonical", tmp_path / "files", {})
    return settings


def file_of(settings: Settings, day: date) -> Path:
    [path] = Lake(settings.home).files("listens", day)
    return path


def test_a_day_run_again_brings_back_the_rows_of_its_damaged_file(simulated: Settings) -> None:
    before, path = rows(simulated), file_of(simulated, DAYS[2])
    content = path.read_bytes()
    harm(path)
    report = live(simulated, DAYS[2], DAYS[3])
    assert rows(simulated).equals(before)
    assert path.read_bytes() == content
    [told] = [file for file in report.files if file.path.startswith("lake/listens")]
    assert (told.received, told.quarantined) == (1, 1)
    assert still_missing(Lake(simulated.home)) == []


def test_the_next_day_brings_back_the_rows_of_an_earlier_one_that_it_cannot_read(
    simulated: Settings, made: Path, tmp_path: Path
) -> None:
    whole = Settings(Path(shutil.copytree(made, tmp_path / "whole")))
    live(whole, DAYS[3], DAYS[3] + timedelta(days=1))
    harm(file_of(simulated, DAYS[1]))
    live(simulated, DAYS[3], DAYS[3] + timedelta(days=1))
    assert rows(simulated).equals(rows(whole))
    assert read_quarantine(Lake(simulated.home)).num_rows == 0
    kept = simulated.home / "quarantine" / "listens" / "files"
    assert [path.name[:10] for path in kept.iterdir()] == [str(DAYS[1])]


def test_an_imported_home_refuses_the_day_and_names_the_import(imported: Settings) -> None:
    path = file_of(imported, DAYS[1])
    harm(path)
    with pytest.raises(DamagedLakeError) as refused:
        live(imported, DAYS[1], DAYS[2])
    text = str(refused.value)
    assert f"lake/listens/day={DAYS[1]}/{path.name}" in text
    assert f"segue import canonical {read_home(imported).source.path}" in text
    # It stays refused: a day without its rows is not built by trying again.
    with pytest.raises(DamagedLakeError):
        live(imported, DAYS[2], DAYS[3])


def test_the_import_again_brings_the_rows_back(imported: Settings) -> None:
    before = rows(imported)
    harm(file_of(imported, DAYS[1]))
    with pytest.raises(DamagedLakeError):
        live(imported, DAYS[1], DAYS[2])
    source = read_home(imported).source
    begin_imported(imported, source.format, Path(source.path), {})
    assert rows(imported).equals(before)
    live(imported, DAYS[1], DAYS[2])


def test_an_import_over_a_damaged_file_sets_it_aside_and_brings_its_rows_back(
    imported: Settings,
) -> None:
    before = rows(imported)
    harm(file_of(imported, DAYS[1]))
    source = read_home(imported).source
    report = begin_imported(imported, source.format, Path(source.path), {})
    assert rows(imported).equals(before)
    assert sum(file.quarantined for file in report.files) == 1


def garbled(path: Path) -> None:
    """Bytes change places within the file: its size stays."""
    content = bytearray(path.read_bytes())
    content[60:100] = content[60:100][::-1]
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("harmed", [harm, garbled])
def test_the_doctor_names_a_damaged_file(
    simulated: Settings, harmed: Callable[[Path], None]
) -> None:
    path = file_of(simulated, DAYS[1])
    assert "every page verified" in "".join(lake_is_whole(simulated))
    harmed(path)
    with pytest.raises(ValueError, match=f"day={DAYS[1]}/{path.name}.*segue run daily"):
        list(lake_is_whole(simulated))
