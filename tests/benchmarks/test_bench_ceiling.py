"""The order that knows the world: its days are lived again by other chance, and nothing else."""

from functools import cache

import numpy as np

from ml.simulation.config import WorldConfig
from ml.simulation.living import initial_state, live_day
from ml.simulation.memory import SimulationState
from ml.simulation.world import World, create_world
from tests.benchmarks.bench_ceiling import FIRST_DAY, ceiling, expected, lived_again


@cache
def lived() -> tuple[World, SimulationState]:
    """A small world after two weeks."""
    world = create_world(WorldConfig(7, FIRST_DAY, 60, 200))
    state = initial_state(world)
    for _ in range(14):
        _, state = live_day(world, state)
    return world, state


def test_a_day_lived_again_by_the_same_chance_is_the_same_day_and_by_another_is_not() -> None:
    world, state = lived()
    first, again, other = (lived_again(world, state, chance) for chance in (1, 1, 2))
    assert (first != again).nnz == 0
    assert (first != other).nnz > 0


def test_what_is_expected_is_a_share_of_the_replays() -> None:
    share = expected(*lived(), replays=4)
    assert share.nnz
    assert set(np.unique(share.data)) <= {0.25, 0.5, 0.75, 1.0}


def test_more_replays_know_the_world_better() -> None:
    world, state = lived()
    few, more = ceiling(world, state, 2).mean(), ceiling(world, state, 60).mean()
    assert 0 < few < more < 1
