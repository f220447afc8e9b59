"""The world lives day by day and leaves canonical tables behind.

Belongs here: turning plays into listens, impressions, tracks and users, incidents, what is known when.
Does not belong here: how a play is chosen.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.simulation import names
from ml.simulation.config import Incident
from ml.simulation.day import Plays, live
from ml.simulation.incidents import (
    add_bots,
    dropped_tracks,
    late_share,
    shifted_taste,
    with_wrong_units,
    without_surface,
)
from ml.simulation.market import open_market
from ml.simulation.memory import SimulationState, copied, empty_state
from ml.simulation.shelf import Shelf, shelf_of
from ml.simulation.world import World
from ml.tables import IMPRESSIONS, LISTENS, SURFACES, TIMESTAMP, TRACKS, USERS

_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class LivedDay:
    """What became known on a day, canonical tables sorted by their keys."""

    listens: pa.Table
    impressions: pa.Table
    tracks: pa.Table
    users: pa.Table


def initial_state(world: World) -> SimulationState:
    """The state before the first day."""
    return empty_state(world.config.listeners)


def _midnight(day: date) -> int:
    """Epoch microseconds of a day's 00:00 UTC."""
    instant = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
    return int(instant.timestamp()) * _MICROS


def _known_on(
    table: pa.Table, known: NDArray[np.int64], day: int, at: int, schema: pa.Schema
) -> pa.Table:
    """Rows that become known on day number `day`, with known_at = `at`."""
    rows = table.filter(pa.array(known == day))
    stamps = pa.array(np.full(len(rows), at), pa.int64()).cast(TIMESTAMP)
    return rows.append_column("known_at", stamps).cast(schema)


def _listens(
    world: World, plays: Plays, shelf: Shelf | None, day: int, midnight: int, late: float
) -> pa.Table:
    random = np.random.default_rng([world.config.seed, 20, day])
    size = len(plays.who)
    order = np.lexsort((plays.track, plays.second, plays.who))
    played = midnight + (plays.second[order] * _MICROS).astype(np.int64)
    known = played + ((random.uniform(2, 120, size)) * _MICROS).astype(np.int64)
    delayed = random.random(size) < late
    days_late = (
        random.integers(1, 4, size) if late > world.config.late_share else np.ones(size, int)
    )
    known = np.where(delayed, known + days_late * 86_400 * _MICROS, known)
    request = plays.request[order]
    ids = pa.nulls(size, pa.string())
    if shelf is not None:
        ids = pa.array(shelf.request_id[np.maximum(request, 0)], pa.string(), mask=request < 0)
    return pa.table(
        {
            "listen_id": names.numbered(f"listen-{day:04d}-", 7, size),
            "user_id": world.listeners.table["user_id"].take(pa.array(plays.who[order])),
            "track_id": world.catalogue.table["track_id"].take(pa.array(plays.track[order])),
            "played_at": pa.array(played).cast(TIMESTAMP),
            "ms_played": plays.ms_played[order],
            "surface": pa.array(SURFACES).take(pa.array(plays.surface[order])),
            "session_id": pa.nulls(size, pa.string()),
            "request_id": ids,
            "known_at": pa.array(known).cast(TIMESTAMP),
        },
        schema=LISTENS.schema,
    )


def _impressions(
    plays: Plays, shelf: Shelf | None, recommendations: pa.Table | None, midnight: int
) -> pa.Table:
    """Every shown list in full, shown a second before its session began."""
    if shelf is None or recommendations is None or not len(plays.seen):
        return IMPRESSIONS.schema.empty_table()
    shown = pa.table(
        {
            "request_id": pa.array(shelf.request_id[plays.seen], pa.string()),
            "shown_at": pa.array(
                midnight + ((plays.seen_at - 1).clip(0) * _MICROS).astype(np.int64)
            ).cast(TIMESTAMP),
        }
    )
    # Acero joins no list columns (sources, reasons).
    flat = recommendations.drop_columns(["sources", "reasons"])
    rows = flat.join(shown, "request_id", join_type="inner")
    table = pa.table(
        {
            "request_id": rows["request_id"],
            "position": rows["rank"],
            "user_id": rows["user_id"],
            "surface": rows["surface"],
            "shown_at": rows["shown_at"],
            "track_id": rows["track_id"],
            "score": rows["score"],
            "propensity": rows["propensity"],
            "model_version": rows["model_version"],
            "arm": pa.array(["champion"] * len(rows), pa.string()),
            "known_at": rows["shown_at"],
        },
        schema=IMPRESSIONS.schema,
    )
    return table.sort_by([("request_id", "ascending"), ("position", "ascending")])


def _split_known(rows: pa.Table, midnight: int) -> tuple[pa.Table, pa.Table]:
    """(known before the end of the day, not yet), both sorted by id."""
    end = pa.scalar(midnight + 86_400 * _MICROS, pa.int64()).cast(TIMESTAMP)
    ordered = rows.sort_by("listen_id")
    now = pc.less(ordered["known_at"], end)
    return ordered.filter(now), ordered.filter(pc.invert(now))


def live_day(
    world: World,
    state: SimulationState,
    *,
    recommendations: pa.Table | None = None,
    incident: Incident | None = None,
) -> tuple[LivedDay, SimulationState]:
    """The day after `state`, and the state after it; the given state is not changed.

    `recommendations` are the lists in force (RECOMMENDATIONS rows). The same world, state, lists and
    incident give the same rows.
    """
    day = state.day
    today = world.config.first_day + timedelta(days=day)
    midnight = _midnight(today)
    active = incident if incident is not None and incident.from_day <= today else None
    name = active.name if active else ""
    state = copied(state)
    dropped = dropped_tracks(world) if name == "catalogue_drop" else None
    taste = shifted_taste(world) if name == "taste_shift" else world.listeners.taste
    shelf = shelf_of(world, recommendations)
    plays = live(world, open_market(world, day, dropped), state, taste, shelf, day)
    if name == "bot_traffic":
        plays = add_bots(world, plays, day)
    rows = _listens(world, plays, shelf, day, midnight, late_share(world, name))
    if name == "unit_bug":
        rows = with_wrong_units(rows)
    if name == "missing_surface":
        rows = without_surface(rows, "home")
    known, pending = _split_known(pa.concat_tables([state.pending, rows]), midnight)
    lived = LivedDay(
        known,
        _impressions(plays, shelf, recommendations, midnight),
        _known_on(world.catalogue.table, world.catalogue.known, day, midnight, TRACKS.schema),
        _users(world, day, today, midnight),
    )
    return lived, replace(state, day=day + 1, pending=pending)


def _users(world: World, day: int, today: date, midnight: int) -> pa.Table:
    users = _known_on(world.listeners.table, world.listeners.known, day, midnight, USERS.schema)
    at = users.schema.get_field_index("signed_up_on")
    return users.set_column(at, "signed_up_on", pa.array([today] * len(users), pa.date32()))


def live_days(
    world: World,
    state: SimulationState,
    start: date,
    end: date,
    *,
    recommendations: pa.Table | None = None,
    incident: Incident | None = None,
) -> Iterator[tuple[date, LivedDay, SimulationState]]:
    """Days [start, end) in order; `state` must be the one before `start`."""
    for offset in range((end - start).days):
        lived, state = live_day(world, state, recommendations=recommendations, incident=incident)
        yield start + timedelta(days=offset), lived, state
