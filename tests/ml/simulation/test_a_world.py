"""A simulated world repeats itself and keeps its secrets."""

from datetime import date

import pytest

from ml.simulation.config import SimulationError, WorldConfig
from ml.simulation.living import initial_state, live_day
from ml.simulation.world import create_world
from ml.tables import LISTENS

CONFIG = WorldConfig(5, date(2025, 3, 3), 60, 400)


def test_the_same_seed_lives_the_same_day() -> None:
    days = []
    for _ in range(2):
        world = create_world(CONFIG)
        lived, _ = live_day(world, initial_state(world))
        days.append(lived.listens)
    assert days[0].equals(days[1])
    assert len(days[0]) > 0


def test_listens_hold_the_canonical_columns_and_nothing_true() -> None:
    world = create_world(CONFIG)
    lived, _ = live_day(world, initial_state(world))
    assert set(lived.listens.column_names) <= set(LISTENS.schema.names)


def test_a_world_of_nobody_is_refused() -> None:
    with pytest.raises(SimulationError, match="listeners"):
        WorldConfig(5, date(2025, 3, 3), 1, 400)
