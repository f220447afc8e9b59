"""Every generator alone: what it finds, what it adds to the others, what it costs.

    python -m tests.benchmarks.bench_generators --data demo
    python -m tests.benchmarks.bench_generators --data nowplaying
    python -m tests.benchmarks.bench_generators --home FOLDER

Belongs here: homes to measure in and the table. Does not belong here: measuring (generator_figures). Every
generator is fitted by itself before the first validation day of the home's history and asked by the
requests of that day. Timings are printed and kept nowhere.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from ml.benchmark.cases import nowplaying_sessions
from tests.benchmarks.measure import ROOT, console, control, run_child

SEGUE = Path(sys.executable).with_name("segue")
DATA = ROOT.parent / "shared" / "data" / "nowplaying-sessions"
DEMO = ("--listeners", "2000", "--tracks", "8000", "--days", "60")
# Columns of the table: name, digits after the point.
COLUMNS = (
    ("depth", 0),
    ("candidates", 1),
    ("recall", 4),
    ("marginal", 4),
    ("P@20", 4),
    ("HR@20", 4),
    ("NDCG@10", 4),
    ("fit s", 1),
    ("fit CPU s", 1),
    ("batch ms", 2),
    ("CPU ms", 2),
    ("single ms", 1),
    ("MB", 1),
)


def _segue(home: Path, *arguments: str | Path) -> None:
    command = [SEGUE, *arguments]
    run_child(command, home.with_name(f"{home.name}.log"), {"SEGUE_HOME": str(home)})


def simulated(home: Path) -> None:
    """A history of 2,000 listeners, 8,000 tracks and 60 days."""
    _segue(home, "simulate", *DEMO)
    _segue(home, "run", "bootstrap")


def now_playing(home: Path, data: Path) -> None:
    """The sessions of the published task that a choice on validation may see: the first eight tenths."""
    case = nowplaying_sessions(data, home.with_name("case"), validation=True)
    [file] = case.history.glob("*.parquet")
    _segue(home, "import", case.format, file)
    _segue(home, "run", "bootstrap")


def figures(home: Path, requests: int) -> list[dict[str, Any]]:
    """The rows of generator_figures, from a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.generator_figures", "--requests"]
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "figures.log"
        spent = run_child([*command, str(requests)], log, {"SEGUE_HOME": str(home)})
    rows: list[dict[str, Any]] = json.loads(spent.printed.splitlines()[-1])
    return rows


def table(rows: list[dict[str, Any]]) -> Table:
    """All surfaces in one table; the union of a surface's generators is its last row."""
    shown = Table(box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    shown.add_column("surface")
    shown.add_column("generator", no_wrap=True)
    for name, _ in COLUMNS:
        shown.add_column(name, justify="right")
    for row in rows:
        cells = ["" if row.get(n) is None else f"{row[n]:,.{d}f}" for n, d in COLUMNS]
        last = row["generator"] == "union"
        name = f"union, {row['requests']:,} requests" if last else row["generator"]
        shown.add_row(row["surface"], name, *cells, end_section=last)
    return shown


def main() -> None:
    """Make the home unless one is named, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=("demo", "nowplaying"), default="demo")
    parser.add_argument("--folder", type=Path, default=DATA, help="the #nowplaying sessions")
    parser.add_argument("--home", type=Path, help="a home whose history is built, left as it is")
    parser.add_argument("--requests", type=int, default=2_000, help="at most, of each surface")
    options = parser.parse_args()
    before = control()
    with tempfile.TemporaryDirectory() as scratch:
        home = options.home or Path(scratch) / "home"
        if options.home is None:
            if options.data == "demo":
                simulated(home)
            else:
                now_playing(home, options.folder)
        rows = figures(home, options.requests)
    said = console()
    said.print(table(rows))
    said.print(
        "recall: at full depth, of what the surface calls a hit; marginal: recall of the union less that "
        "without the generator; batch: ms a request, 500 at a time; single: the median of one by one; CPU: of "
        "all threads, less disturbed by other programs than the clock."
    )
    said.print(f"Control, a fixed loop in NumPy: {before:.2f} s before, {control():.2f} s after.")


if __name__ == "__main__":
    main()
