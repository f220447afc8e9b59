"""How a home receives a day: it simulates it, has it already, or reads its source again; and what the
online service received.

Belongs here: the three kinds of homes, events. Does not belong here: assets.
"""

import shutil
from collections.abc import Iterable, Iterator, Set
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ml.lake.ingest import ingest, ingest_table
from ml.lake.report import FileReport, ImportReport
from ml.lake.store import Lake
from ml.serving.batch import read_recommendations
from ml.serving.events.closing import close_days, days_to_enter, mark_entered
from ml.simulation.config import Incident, WorldConfig
from ml.simulation.living import initial_state, live_day
from ml.simulation.memory import SimulationState, load_state, save_state
from ml.simulation.world import World, create_world
from ml.sources.events import event_days, read_days
from ml.sources.registry import read_source
from ml.sources.source import SourceFile
from orchestration.home import IMPORTED, SIMULATED, Home
from orchestration.settings import Settings

TABLES = ("tracks", "users", "listens", "impressions")
# States of the simulated world are kept for this many days, so that a late re-run of a day can start
# from the day before.
_KEPT_STATES = 10
# Days ingested in one go: bounds memory at about a million listens of the demo's world.
_CHUNK = 60


def receive(settings: Settings, home: Home, start: date, end: date) -> ImportReport:
    """Bring the days [start, end) into the lake and report what came.

    The days are over for the journal of events from here on; those that were received on them join
    what the source holds, and are known when they were received.
    """
    lake = Lake(settings.home)
    close_days(settings.events, end)
    source = read_days(settings.events, days_to_enter(settings.events, start, end))
    segments: set[str] = set()
    received = ingest(lake, _noting(source.files, segments))
    mark_entered(settings.events, end)
    report = _of_the_source(settings, home, lake, start, end, segments)
    notes = (*source.notes, *_waiting(settings, home))
    return ImportReport((*report.files, *received.files), notes)


def _waiting(settings: Settings, home: Home) -> tuple[str, ...]:
    """A note where events lie on days that the home will never live."""
    last = home.last_day
    beyond = [day for day in event_days(settings.events) if last is not None and day > last]
    if not beyond:
        return ()
    return (
        f"Events received from {beyond[0]} on stay in the journal: the home's last day is {last}.",
    )


def _noting(files: Iterable[SourceFile], digests: set[str]) -> Iterator[SourceFile]:
    for file in files:
        digests.add(file.digest)
        yield file


def _of_the_source(
    settings: Settings, home: Home, lake: Lake, start: date, end: date, segments: Set[str]
) -> ImportReport:
    if home.source.kind == SIMULATED:
        return _simulate(settings, home, lake, start, end)
    if home.source.kind == IMPORTED:
        return held(lake, start, end, segments)
    source = read_source(home.source.format, Path(home.source.path), home.source.options)
    return ingest(lake, source.files)


def held(lake: Lake, start: date, end: date, without: Set[str] = frozenset()) -> ImportReport:
    """What the lake already holds for [start, end) but from files `without`: rows that an import
    accepted earlier."""
    files = []
    for table in TABLES:
        days = [day for day in lake.days(table) if start <= day < end]
        paths = [path for day in days for path in lake.files(table, day)]
        counted = [path for path in paths if path.stem not in without]
        rows = sum(pq.read_metadata(path).num_rows for path in counted)
        files.append(FileReport("the lake", table, rows, 0, rows, 0))
    return ImportReport(tuple(files))


def world_of(home: Home) -> World:
    """The simulated world of a home."""
    source = home.source
    return create_world(
        WorldConfig(
            seed=source.seed,
            first_day=home.first_day,
            listeners=source.listeners,
            tracks=source.tracks,
        )
    )


def _incident(home: Home) -> Incident | None:
    source = home.source
    if not source.incident:
        return None
    return Incident(source.incident, date.fromisoformat(source.incident_day))


def _simulate(settings: Settings, home: Home, lake: Lake, start: date, end: date) -> ImportReport:
    world = world_of(home)
    state, day = _state_before(settings, home, world, start)
    parts: dict[str, list[pa.Table]] = {name: [] for name in TABLES}
    reports: list[FileReport] = []
    while day < end:
        lists = read_recommendations(settings.recommendations, day - timedelta(days=1))
        lived, state = live_day(world, state, recommendations=lists, incident=_incident(home))
        if day >= start:
            for name in TABLES:
                parts[name].append(getattr(lived, name))
        day += timedelta(days=1)
        if len(parts["listens"]) == _CHUNK or day == end:
            reports.extend(_enter(lake, parts, f"simulated-{start}-{day}"))
            parts = {name: [] for name in TABLES}
    save_state(state, settings.simulation / f"day={end - timedelta(days=1)}")
    _forget(settings, end)
    return ImportReport(tuple(reports))


def _enter(lake: Lake, parts: dict[str, list[pa.Table]], source: str) -> list[FileReport]:
    reports: list[FileReport] = []
    for name, tables in parts.items():
        rows = pa.concat_tables(tables) if tables else None
        if rows is not None and len(rows):
            reports.extend(ingest_table(lake, name, rows, source).files)
    return reports


def _state_before(
    settings: Settings, home: Home, world: World, start: date
) -> tuple[SimulationState, date]:
    """The latest stored state before `start`, and the first day it has not lived."""
    for back in range(1, _KEPT_STATES + 1):
        day = start - timedelta(days=back)
        if (settings.simulation / f"day={day}" / "memory.npz").is_file():
            return load_state(settings.simulation / f"day={day}"), day + timedelta(days=1)
    return initial_state(world), home.first_day


def _forget(settings: Settings, end: date) -> None:
    oldest = end - timedelta(days=_KEPT_STATES)
    for folder in settings.simulation.glob("day=*"):
        if date.fromisoformat(folder.name.removeprefix("day=")) < oldest:
            shutil.rmtree(folder)
