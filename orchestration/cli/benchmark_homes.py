"""Benchmarks by the last days of a log: the ordinary training's own evaluation, on any data.

Belongs here: the simulated world, the radio plays and a folder of the user's own. Does not belong here:
published tasks with a cut of their own (orchestration.cli.benchmark).
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from ml.errors import SegueError
from ml.ranking.run import current_run
from ml.ranking.verdicts import COMPARISON, NEW_ONLY, read_findings
from orchestration.cli.commands import Cost, segue, show_costs
from orchestration.cli.console import console, working
from orchestration.cli.evaluating import ADVANTAGE, show_comparison
from orchestration.settings import Settings

SIMULATOR, RADIO = "simulator", "fivethirtyeight-classic-rock"
OWN = "own"
# 3,900 listeners over 60 days make a million listens (tests.benchmarks.bench_simulation).
_WORLD = ("--listeners", "3900", "--tracks", "20000", "--days", "60", "--seed", "7")
_SONGS = Path("spotify-songs-30k") / "spotify_songs.parquet"


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a home begins: the command and its arguments."""

    name: str
    arguments: Sequence[str]


def beginning(name: str, data: Path) -> Beginning:
    """The command that brings the data in; any other name than the known ones is a folder.

    Raises:
        SegueError: neither a data set nor a folder.
    """
    if name == SIMULATOR:
        return Beginning(SIMULATOR, ["simulate", *_WORLD])
    if name == RADIO:
        folder = data / RADIO if (data / RADIO).is_dir() else data
        songs = folder.parent / _SONGS
        catalogue = ["--option", f"catalogue={songs}"] if songs.is_file() else []
        return Beginning(RADIO, ["import", "playlog", str(folder), *catalogue])
    return Beginning(OWN, ["import", str(_existing(Path(name)))])


def _existing(folder: Path) -> Path:
    if not folder.exists():
        raise SegueError(f"expected a data set or a folder of listens, found neither: {folder}")
    return folder.resolve()


def run_home(name: str, data: Path, root: Path) -> None:
    """Bring the data in, train on all but its last days, and print how every model does on those."""
    begun = beginning(name, data)
    home = root / begun.name / "home"
    shutil.rmtree(home.parent, ignore_errors=True)
    home.parent.mkdir(parents=True)
    costs: dict[str, Cost] = {}
    with working(f"{begun.name}: {begun.arguments[0]}"):
        costs["data"] = segue(home, begun.arguments)
    with working(f"{begun.name}: history"):
        costs["history"] = segue(home, ["run", "bootstrap"])
    with working(f"{begun.name}: training"):
        costs["training, gate"] = segue(home, ["run", "train"])
    run = current_run(Settings(home).training)
    findings, days = read_findings(run), run.plan.days("test")
    show_comparison(findings[COMPARISON], f"{begun.name}, {days[0]} to {days[-1]}")
    new = findings[NEW_ONLY]
    show_comparison(new.filter(pc.greater(new["users"], 0)), "tracks never played before only")
    console.print(ADVANTAGE)
    show_costs(costs)
