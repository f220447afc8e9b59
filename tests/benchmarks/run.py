"""`make bench`: every bench in a process of its own, one table at the end.

    python -m tests.benchmarks.run [--only NAME ...]

Belongs here: which benches there are, their order, the control around them. Does not belong here:
measuring (the modules beside this one).
"""

import argparse
import importlib
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.benchmarks.measure import Measure, console, control, show

# In the order of a life; each module has a function rows().
BENCHES = ("import", "events", "simulation", "features", "a_day", "evaluation")
# Tables of their own, in minutes, some on data that is not in the repository.
APART = ("embeddings", "marginals", "generators", "monitoring", "serving")


def measured(name: str) -> list[Measure]:
    """The rows of one bench; run in a process that does nothing else."""
    rows: list[Measure] = importlib.import_module(f"tests.benchmarks.bench_{name}").rows()
    return rows


def run_apart(name: str) -> list[Measure]:
    """The rows of a bench from a fresh process: its peak memory is that of its own work."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measured, name).result()


def main() -> int:
    """Print the table; 1 when a bar was missed or a step failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=BENCHES, help="repeatable")
    names = parser.parse_args().only or BENCHES
    said = console()
    before = control()
    rows: list[Measure] = []
    failed = 0
    for name in names:
        said.print(f"{name} ...")
        try:
            rows += run_apart(name)
        except SystemExit as failure:
            # A step that failed takes its bench with it, not the minutes of the others.
            said.print(f"[red]{name} failed[/]: {failure}")
            failed += 1
    after = control()
    show(rows)
    said.print(f"Control, a fixed loop in NumPy: {before:.2f} s before, {after:.2f} s after.")
    said.print(
        "others: cores that other programs kept busy meanwhile; seconds beside them say little."
    )
    apart = ", ".join(f"python -m tests.benchmarks.bench_{name}" for name in APART)
    said.print(f"Tables of their own: {apart}")
    return int(bool(failed) or any(row.missed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
