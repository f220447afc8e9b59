"""`segue simulate` and `segue import`.

Belongs here: words around orchestration.beginning. Does not belong here: the work.
"""

from pathlib import Path

from ml.errors import SegueError
from ml.lake.report import HEADER, ImportReport
from orchestration.beginning import World, begin_imported, begin_simulated
from orchestration.cli.console import console, show, then, working
from orchestration.settings import load_settings


def simulate_home(
    listeners: int, tracks: int, days: int, seed: int, incident: str, incident_day: int
) -> None:
    """Begin a simulated home."""
    settings = load_settings()
    world = World(listeners, tracks, days, seed, incident, incident_day)
    home = begin_simulated(settings, world)
    console.print(
        f"A world of {listeners:,} listeners and {tracks:,} tracks begins on {home.first_day} in "
        f"{settings.home}; its history of {days} days is lived by bootstrap."
    )
    then("segue run bootstrap")


def options_of(pairs: list[str]) -> dict[str, str]:
    """NAME=VALUE pairs as a mapping.

    Raises:
        SegueError: a pair without "=".
    """
    options = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise SegueError(f"expected --option NAME=VALUE, found {pair!r}")
        options[name] = value
    return options


def import_files(name: str, path: Path, pairs: list[str]) -> None:
    """Import files and print what became of every one."""
    settings = load_settings()
    with working(f"importing {path}"):
        report = begin_imported(settings, name, path, options_of(pairs))
    show_report(report)
    if report.quarantined:
        console.print(f"Quarantined rows keep reason and place in {settings.home / 'quarantine'}")
    then("segue run train")


def show_report(report: ImportReport) -> None:
    """The files as a table, then notes and limits."""
    show("Import", list(HEADER), [list(row) for row in report.rows()])
    for note in report.notes:
        console.print(f"* {note}")
    for limit in report.limits:
        console.print(f"* [yellow]limit[/] {limit}")
