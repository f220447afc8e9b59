"""How good a Home list can be at all in a simulated world: its days are lived again, by other chance.

    python -m tests.benchmarks.bench_ceiling [--replays 400 --listeners 3900 --tracks 20000 --days 60 --seed 7]

Belongs here: the order that knows the world itself, judged like any list. Does not belong here: models
(`segue benchmark simulator` prints theirs for the same world and days).
"""

import argparse
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.progress import track as progress
from rich.table import Table
from scipy import sparse

from ml.candidates.top import top_of_sparse
from ml.evaluation.metrics import Lists, Truth, per_request
from ml.simulation.config import WorldConfig
from ml.simulation.day import Plays, live
from ml.simulation.living import initial_state, live_day
from ml.simulation.market import open_market
from ml.simulation.memory import SimulationState, copied
from ml.simulation.world import World, create_world
from ml.tables import STREAM_MS
from tests.benchmarks.measure import console

FIRST_DAY = date(2025, 3, 3)
# The benchmark judges the last two days.
TEST_DAYS = 2
K = 10
# Seeds of chance that no world of a bench has.
_OTHER_CHANCE = 1_000_003


def streamed(world: World, plays: Plays) -> sparse.csr_matrix:
    """1 where a listener streamed a track on the day, float32 CSR (listeners, tracks)."""
    kept = plays.ms_played >= STREAM_MS
    shape = (len(world.listeners.known), world.catalogue.size)
    ones = np.ones(int(kept.sum()), dtype=np.float32)
    found = sparse.csr_matrix((ones, (plays.who[kept], plays.track[kept])), shape=shape)
    found.data[:] = 1.0
    return found


def lived_again(world: World, state: SimulationState, chance: int) -> sparse.csr_matrix:
    """`streamed` of the day after `state` by the chance of another seed; listeners, tracks, memories and fame
    stay the world's own."""
    market = open_market(world, state.day, None)
    other = replace(world, config=replace(world.config, seed=chance))
    taste = world.listeners.taste
    return streamed(world, live(other, market, copied(state), taste, None, state.day))


def expected(world: World, state: SimulationState, replays: int) -> sparse.csr_matrix:
    """Share of `replays` in which each listener streams each track on the day after `state`."""
    total = None
    for number in progress(range(replays), f"day {state.day}", console=console(), transient=True):
        again = lived_again(world, state, _OTHER_CHANCE + number)
        total = again if total is None else total + again
    assert total is not None
    return (total / np.float32(replays)).tocsr()


def ceiling(world: World, state: SimulationState, replays: int) -> NDArray[np.float64]:
    """NDCG@10 of every listener who streams anything on the day after `state`, by the order of `expected`."""
    truth = streamed(
        world,
        live(
            world,
            open_market(world, state.day, None),
            copied(state),
            world.listeners.taste,
            None,
            state.day,
        ),
    ).tocoo()
    best = top_of_sparse(expected(world, state, replays), K)
    relevant = Truth(
        truth.row.astype(np.int32),
        truth.col.astype(np.int32),
        np.ones(truth.nnz, dtype=np.int8),
        truth.shape[0],
    )
    ndcg = per_request(Lists(best.request, best.track, best.rank), relevant, K)["ndcg"]
    found: NDArray[np.float64] = ndcg[~np.isnan(ndcg)]
    return found


def main() -> int:
    """Print the ceiling of each of the last two days by the number of replays."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("replays", 400), ("listeners", 3_900), ("tracks", 20_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    told = parser.parse_args()
    world = create_world(WorldConfig(told.seed, FIRST_DAY, told.listeners, told.tracks))
    state = initial_state(world)
    shown = Table(box=box.SIMPLE, title="NDCG@10 of Home lists by one who knows the world")
    for name in ("day", "listeners", "replays", "NDCG@10"):
        shown.add_column(name, justify="right")
    for day in range(told.days):
        if day >= told.days - TEST_DAYS:
            for replays in (told.replays // 4, told.replays):
                ndcg = ceiling(world, state, replays)
                shown.add_row(str(day), f"{len(ndcg):,}", f"{replays:,}", f"{ndcg.mean():.4f}")
        _, state = live_day(world, state)
    console().print(shown)
    console().print(
        "A finite number of replays orders rare tracks by chance: the ceiling lies above the larger figure "
        "by about as much as that lies above the smaller, or less."
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
