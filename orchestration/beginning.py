"""How a home begins: a simulated world or an import.

Belongs here: creating and widening home.json. Does not belong here: bringing a day in
(orchestration.receiving).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from ml.errors import SegueError
from ml.lake.damage import UNREADABLE, Damage, set_aside_damaged, with_damages
from ml.lake.ingest import ingest
from ml.lake.report import ImportReport
from ml.lake.store import Lake
from ml.simulation.config import Incident, WorldConfig
from ml.sources.registry import read_source
from ml.sources.source import Source as Imported
from orchestration.home import (
    IMPORTED,
    LIVE,
    MONTHLY,
    SIMULATED,
    Home,
    Source,
    partitions_from,
    read_home,
    rhythm_of,
    widened,
    write_home,
)
from orchestration.settings import Settings

# A Monday long enough ago: Dagster knows no partition of a day that has not ended.
FIRST_DAY = date(2025, 3, 3)
# The world goes on after the history, one day a tick of the schedule.
DAYS_TO_COME = 60


@dataclass(frozen=True, slots=True)
class World:
    """What to simulate: sizes, days of history, and an incident from a day number on (from 1)."""

    listeners: int = 2_000
    tracks: int = 8_000
    days: int = 53
    seed: int = 7
    incident: str = ""
    incident_day: int = 0


def begin_simulated(settings: Settings, world: World) -> Home:
    """Create a simulated home. Nothing is lived yet.

    Raises:
        SegueError: the home holds other data, or the world cannot be simulated.
    """
    if world.days < 1:
        raise SegueError(
            f"expected at least one day, found {world.days}; run `segue simulate --days 60`"
        )
    WorldConfig(world.seed, FIRST_DAY, world.listeners, world.tracks)
    last = FIRST_DAY + timedelta(days=world.days - 1)
    incident_day = ""
    if world.incident:
        first_bad = FIRST_DAY + timedelta(days=max(world.incident_day, 1) - 1)
        Incident(world.incident, first_bad)
        incident_day = first_bad.isoformat()
    source = Source(
        SIMULATED,
        seed=world.seed,
        listeners=world.listeners,
        tracks=world.tracks,
        incident=world.incident,
        incident_day=incident_day,
    )
    home = Home(FIRST_DAY, last + timedelta(days=DAYS_TO_COME), source, (), last)
    if settings.home_file.is_file() and read_home(settings) != home:
        raise SegueError(
            f"expected an empty home or the same world in {settings.home}, found another home; "
            "name another one with SEGUE_HOME=FOLDER or remove this one"
        )
    write_home(settings, home)
    return home


def begin_imported(
    settings: Settings,
    name: str,
    path: Path,
    options: Mapping[str, str],
    progress: Callable[[str, int], None] | None = None,
    live_from: date | None = None,
) -> ImportReport:
    """Import files into the home and widen its days.

    `live_from` begins a live home: the history ends the day before it, and from then on every day is
    read from the same files again, with what the service received on it.

    Raises:
        SegueError: the home is a simulated one, or the files hold no listens.
    """
    known = _known_home(settings, live_from)
    lake = Lake(settings.home)
    source, report = _ingested(lake, lambda: read_source(name, path, options), progress)
    days = lake.days("listens")
    if not days:
        raise SegueError(
            f"expected listens in {path}, found none accepted "
            f"({report.quarantined:,} rows quarantined); look into {settings.home / 'quarantine'}"
        )
    if live_from is not None:
        check_live(days, live_from, path)
    kind = LIVE if live_from else IMPORTED
    origin = Source(kind, name, str(path.resolve()), dict(options))
    listed = partitions_from(days)
    home = known or Home(days[0], days[-1], origin, tuple(source.limits), partitions_from=listed)
    if live_from and known is not None:
        # The files named last are those that grow.
        home = replace(known, source=origin)
    elif live_from:
        home = replace(home, last_day=None, history_end=live_from - timedelta(days=1))
    write_home(settings, widened(home, days, tuple(source.limits)))
    return report


def _known_home(settings: Settings, live_from: date | None) -> Home | None:
    """The home that an import widens, None where it is empty; one of another kind is refused."""
    known = read_home(settings) if settings.home_file.is_file() else None
    if known is not None and known.source.kind == SIMULATED:
        raise SegueError(
            f"expected an empty or imported home in {settings.home}, found a simulated one; "
            "name another one with SEGUE_HOME=FOLDER"
        )
    if known is not None and live_from and known.source.kind != LIVE:
        raise SegueError(
            f"expected an empty or live home in {settings.home}, found one that replays an import; "
            "name another one with SEGUE_HOME=FOLDER"
        )
    return known


def _ingested(
    lake: Lake, read: Callable[[], Imported], progress: Callable[[str, int], None] | None
) -> tuple[Imported, ImportReport]:
    """What was read, and the report. Where a damaged file of the lake is in the way, it is set aside and the
    import begins again: it may be the one that brings its rows back."""
    damages: list[Damage] = []
    source = read()
    try:
        report = ingest(lake, source.files, progress=progress)
    except UNREADABLE:
        damages = set_aside_damaged(lake)
        if not damages:
            raise
        source = read()
        report = ingest(lake, source.files, progress=progress)
    report = replace(report, notes=source.notes, limits=source.limits)
    return source, with_damages(report, damages)


def check_live(days: Sequence[date], live_from: date, path: Path) -> None:
    """Refuse what cannot be lived by the day from `live_from` on; `days` are the data days, ascending.

    Raises:
        SegueError: no day before `live_from`, or data that is dated by the month.
    """
    if days[0] >= live_from:
        raise SegueError(
            f"expected listens from before {live_from} in {path}, found the first on {days[0]}; "
            "import again tomorrow, or without --live"
        )
    if rhythm_of(days) == MONTHLY:
        raise SegueError(
            f"expected listens dated by the day in {path}, found every day the first of a month; "
            "import them without --live"
        )
