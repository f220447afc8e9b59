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

from ml.lake.damage import (
    UNREADABLE,
    DamagedLakeError,
    forget_restored,
    set_aside_damaged,
    still_missing,
    told,
    with_damages,
)
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

TABLES = ("tracks", "users", "friendships", "listens", "impressions")
# A simulated world knows of no friends.
_SIMULATED = ("tracks", "users", "listens", "impressions")
# States of the simulated world are kept for this many days, so that a late re-run of a day can start
# from the day before.
_KEPT_STATES = 10
# Days ingested in one go: bounds memory at about a million listens of the demo's world.
_CHUNK = 60


def receive(settings: Settings, home: Home, start: date, end: date) -> ImportReport:
    """Bring the days [start, end) into the lake and report what came.

    The days are over for the journal of events from here on; those that were received on them join
    what the source holds, and are known when they were received. Files of the lake that were damaged are
    set aside whole and their rows received again; the days are looked at page by page, earlier ones as far
    as they are read.

    Raises:
        DamagedLakeError: rows of a damaged file cannot be received again from here.
    """
    lake = Lake(settings.home)
    close_days(settings.events, end)
    damages = set_aside_damaged(lake, start=start, end=end)
    restore(settings, home, lake, start, end)
    try:
        report = _receive(settings, home, lake, start, end)
    except UNREADABLE:
        # Which file it was that could not be read, the error of a reader of many does not always say.
        damages += (found := set_aside_damaged(lake))
        if not found:
            raise
        restore(settings, home, lake, start, end)
        report = _receive(settings, home, lake, start, end)
    forget_restored(lake, start, end)
    return with_damages(report, damages)


def restore(settings: Settings, home: Home, lake: Lake, start: date, end: date) -> None:
    """Receive the days again whose files were set aside, but for [start, end), which come anyway.

    Raises:
        DamagedLakeError: the home has its rows from an import, which only an import brings back.
    """
    for day in sorted({one.day for one in still_missing(lake)}):
        if home.source.kind == IMPORTED or not start <= day < end:
            _receive(settings, home, lake, day, day + timedelta(days=1))
    if home.source.kind == IMPORTED and (missing := still_missing(lake)):
        raise DamagedLakeError(told(missing, mended_by(home)))
    for one in still_missing(lake):
        if not start <= one.day < end:
            forget_restored(lake, one.day, one.day + timedelta(days=1))


def mended_by(home: Home) -> str:
    """What brings the rows of damaged files back."""
    if home.source.kind != IMPORTED:
        return "the next `segue run daily` (or `segue run bootstrap`) receives their rows again"
    source = home.source
    options = "".join(f" --option {name}={value}" for name, value in source.options.items())
    return (
        f"`segue import {source.format} {source.path}{options}` brings their rows back, as every "
        "other import of this home does; then run this again"
    )


def _receive(settings: Settings, home: Home, lake: Lake, start: date, end: date) -> ImportReport:
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
    # What the files gained of days that are lived becomes known now: those days are built.
    return ingest(lake, source.files, not_before=start)


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
    parts: dict[str, list[pa.Table]] = {name: [] for name in _SIMULATED}
    reports: list[FileReport] = []
    while day < end:
        lists = read_recommendations(settings.recommendations, day - timedelta(days=1))
        lived, state = live_day(world, state, recommendations=lists, incident=_incident(home))
        if day >= start:
            for name in _SIMULATED:
                parts[name].append(getattr(lived, name))
        day += timedelta(days=1)
        if len(parts["listens"]) == _CHUNK or day == end:
            reports.extend(_enter(lake, parts, f"simulated-{start}-{day}"))
            parts = {name: [] for name in _SIMULATED}
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
