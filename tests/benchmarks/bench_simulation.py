"""Simulation: the demo's world lives a million listens.

    python -m tests.benchmarks.bench_simulation [--listens 1000000 --listeners 2000 --tracks 8000]

Belongs here: the clock around the simulator. Does not belong here: what the world is like
(bench_marginals).
"""

import argparse
import time
from datetime import date

from ml.simulation.config import WorldConfig
from ml.simulation.living import initial_state, live_day
from ml.simulation.world import create_world
from tests.benchmarks.measure import Measure, Spent, console, control, judged, own_peak, show

FIRST_DAY = date(2025, 3, 3)
BAR_SECONDS = 30.0


def rows(
    listens: int = 1_000_000, listeners: int = 2_000, tracks: int = 8_000, seed: int = 7
) -> list[Measure]:
    """Two rows: the world's creation, and whole days until it has `listens` listens. The bar is on the
    days; a day's rows are dropped once counted."""
    began, cpu = time.perf_counter(), time.process_time()
    world = create_world(WorldConfig(seed, FIRST_DAY, listeners, tracks))
    created = Spent(time.perf_counter() - began, time.process_time() - cpu, own_peak(), "")
    began, cpu = time.perf_counter(), time.process_time()
    state, heard = initial_state(world), 0
    while heard < listens:
        day, state = live_day(world, state)
        heard += len(day.listens)
    lived = Spent(time.perf_counter() - began, time.process_time() - cpu, own_peak(), "")
    return [
        judged("simulation: a world", f"{listeners:,} listeners, {tracks:,} tracks", created),
        judged(
            "simulation: its days",
            f"{heard:,} listens, {state.day} days",
            lived,
            f"{heard / lived.seconds:,.0f} listens/s",
            at_most=BAR_SECONDS * listens / 1_000_000,
        ),
    ]


def main() -> int:
    """Print the rows between two controls; 1 when the bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listens", type=int, default=1_000_000)
    parser.add_argument("--listeners", type=int, default=2_000)
    parser.add_argument("--tracks", type=int, default=8_000)
    parser.add_argument("--seed", type=int, default=7)
    told = parser.parse_args()
    before = control()
    measured = rows(told.listens, told.listeners, told.tracks, told.seed)
    show(measured)
    console().print(
        f"Control, a fixed loop in NumPy: {before:.2f} s before, {control():.2f} s after."
    )
    return int(any(row.missed for row in measured))


if __name__ == "__main__":
    raise SystemExit(main())
