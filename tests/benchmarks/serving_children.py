"""What is measured beside the running service, each in a process of its own.

Belongs here: the home, the handler's processor time, the batch. Does not belong here: loads (bench_serving).
"""

import json
import sys
from pathlib import Path

from tests.benchmarks.measure import Measure, run_child
from tests.benchmarks.serving_calls import SURFACES

BATCH = 1_000.0
# Milliseconds of processor time inside the handler, the median answer.
HANDLER = 2.5


def handler_rows(home: Path, scratch: Path) -> list[Measure]:
    """Processor time of an answer in the handler, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.serving_handler", home]
    spent = run_child(command, scratch / "handler.log", {"OMP_NUM_THREADS": "1"})
    # Libraries may have their say after it, when the process ends.
    told = json.loads(next(one for one in spent.printed.splitlines() if one.startswith("{")))
    return [
        Measure(
            f"serving: {surface} in the handler",
            "distinct listeners",
            0.0,
            f"CPU p50 {told[surface]:.2f} ms",
            f"{HANDLER:g} ms",
            missed=told[surface] > HANDLER,
        )
        for surface in SURFACES
    ]


def batch_row(home: Path, scratch: Path) -> Measure:
    """Home for two thousand listeners through the same Recommender, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.serving_process", home]
    spent = run_child(command, scratch / "batch.log")
    told = json.loads(spent.printed.splitlines()[-1])
    rate = told["listeners"] / told["seconds"]
    return Measure(
        "serving: Home in batch",
        f"{told['listeners']:,} listeners",
        told["seconds"],
        f"{rate:,.0f} listeners/s",
        f"{BATCH:,.0f}/s",
        spent.peak_mb,
        missed=rate < BATCH,
        others=spent.others,
    )


def made(folder: Path, tracks: int, listeners: int) -> Measure:
    """A new home in `folder`, by a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.serving_world", folder]
    sizes = ["--tracks", str(tracks), "--listeners", str(listeners)]
    spent = run_child([*command, *sizes], folder.with_name("world.log"))
    size = f"{tracks:,} tracks, {listeners:,} listeners"
    return Measure("serving: the home", size, spent.seconds, peak_mb=spent.peak_mb)
