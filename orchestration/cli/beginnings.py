"""`segue simulate` and `segue import`.

Belongs here: words around orchestration.beginning. Does not belong here: the work.
"""

from datetime import UTC, datetime
from pathlib import Path

from ml.errors import SegueError
from ml.lake.report import HEADER, ImportReport
from ml.sources.recognition import recognise
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


def named_or_recognised(name: str, path: Path) -> str:
    """The format that was named, or the one that the path is recognised as; that is said.

    Raises:
        SegueError: no format claims the path, or several do.
    """
    if name:
        return name
    found = recognise(path)
    console.print(f"Recognised [bold]{found.name}[/]: {found.why}.", soft_wrap=True)
    return found.name


def import_files(what: list[str], pairs: list[str], live: bool = False) -> None:
    """Import `[FORMAT] PATH` and print what became of every file; `live` begins a home that lives by the
    calendar from today on.

    Raises:
        SegueError: other words than these, or a path that cannot be imported.
    """
    if len(what) not in (1, 2):
        raise SegueError(
            f"expected a path, or a format and a path, found {len(what)} words: "
            "segue import [FORMAT] PATH"
        )
    path = Path(what[-1])
    name = named_or_recognised(what[0] if len(what) == 2 else "", path)
    settings = load_settings()
    with working(f"importing {path}"):
        today = datetime.now(UTC).date() if live else None
        report = begin_imported(settings, name, path, options_of(pairs), live_from=today)
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
