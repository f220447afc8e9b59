"""A small world, and its first days under any circumstances, lived once each."""

from collections.abc import Callable
from datetime import date, timedelta

import pyarrow as pa
import pytest

from ml.simulation.config import Incident, WorldConfig
from ml.simulation.living import LivedDay, initial_state, live_days
from ml.simulation.world import World, create_world

FIRST_DAY = date(2025, 3, 3)
CONFIG = WorldConfig(5, FIRST_DAY, 100, 400)
DAYS = 5
INCIDENT_DAY = 2


@pytest.fixture(scope="package")
def world() -> World:
    """100 listeners, 400 tracks and what will be released."""
    return create_world(CONFIG)


@pytest.fixture(scope="package")
def days(world: World) -> Callable[..., list[LivedDay]]:
    """A function (incident name, lists in force) -> the first five days; incidents begin on the
    third."""
    lived: dict[tuple[str, int], list[LivedDay]] = {}

    def days(incident: str = "", lists: pa.Table | None = None) -> list[LivedDay]:
        key = (incident, id(lists))
        if key not in lived:
            told = (
                Incident(incident, FIRST_DAY + timedelta(days=INCIDENT_DAY)) if incident else None
            )
            end = FIRST_DAY + timedelta(days=DAYS)
            life = live_days(
                world, initial_state(world), FIRST_DAY, end, recommendations=lists, incident=told
            )
            lived[key] = [day for _, day, _ in life]
        return lived[key]

    return days
