"""The foundations at a size: build, a day more, state, training, lists, and how their cost grows.

    make bench SIZE=20M
    python -m tests.benchmarks.heavy --size 200K|2M|20M [--only STEP ...] [--home FOLDER]

Belongs here: the steps of a large home, each in a process of its own, their bars. Does not belong here: the
lake they start from (heavy_lake), how a step is timed (measure). A size is measured after the smaller ones.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from tests.benchmarks.bench_features import run_range, slowest
from tests.benchmarks.heavy_lake import FIRST_DAY, SIZES
from tests.benchmarks.measure import Measure, Spent, console, control, judged, run_child, show

SEGUE = Path(sys.executable).with_name("segue")
BUILD_SECONDS, BUILD_GIGABYTES = 120.0, 4.0
TRAIN_SECONDS, TRAIN_GIGABYTES = 900.0, 8.0
LISTS_A_SECOND = 1_000.0
# A day more after 120 days may cost this often what it costs after 12 days of the same listeners.
DAY_GROWTH = 1.5
LARGEST, REFERENCE = "20M", "2M"


def _inside(home: Path, work: str) -> tuple[Spent, dict[str, Any]]:
    """Work of in_a_home.py, and the JSON object it printed last."""
    command = [sys.executable, "-m", "tests.benchmarks.in_a_home", work]
    spent = run_child(command, home / f"{work}.log", {"SEGUE_HOME": str(home)})
    found: dict[str, Any] = json.loads(spent.printed.splitlines()[-1])
    return spent, found


def model_seconds(home: Path) -> float:
    """Seconds of the models of dbt's latest run, tests left out; two run at a time."""
    results = json.loads((home / "target" / "run_results.json").read_text())["results"]
    return sum(one["execution_time"] for one in results if one["unique_id"].startswith("model."))


def lake_row(home: Path, name: str) -> Measure:
    """The generated lake; what it costs is the bench's own."""
    command = [sys.executable, "-m", "tests.benchmarks.heavy_lake", home, "--size", name]
    size = SIZES[name]
    what = f"{size.listens + size.more:,} listens of {size.listeners:,}"
    return judged("lake", what, run_child(command, home / "lake.log"))


def build_row(home: Path, name: str) -> Measure:
    """`dbt build` of every model and test over all days but the last, in one range."""
    size = SIZES[name]
    spent = run_range(home, FIRST_DAY, size.end, "build")
    console().print(f"  slowest: {slowest(home)}")
    bars = {"at_most": BUILD_SECONDS, "gigabytes": BUILD_GIGABYTES} if name == LARGEST else {}
    rate = f"models alone {model_seconds(home):,.1f} s"
    return judged("dbt build", f"{size.listens:,} listens, {size.days} days", spent, rate, **bars)


def day_row(home: Path, name: str) -> Measure:
    """The day after: `dbt build` of its range, process start and parsing included."""
    size = SIZES[name]
    spent = run_range(home, size.end, size.end + timedelta(days=1), "build")
    console().print(f"  slowest: {slowest(home)}")
    what = f"{size.more:,} listens after {size.days} days"
    return judged("one more day", what, spent, f"models alone {model_seconds(home):,.1f} s")


def state_row(home: Path, name: str) -> Measure:
    """The state of the end read from the warehouse and published."""
    spent, found = _inside(home, "state")
    what = f"{found['listeners']:,} listeners, {found['pairs']:,} pairs"
    return judged("state published", what, spent)


def train_row(home: Path, name: str) -> Measure:
    """`segue run train`: documents and encoder to the gate, both surfaces."""
    spent = run_child([SEGUE, "run", "train"], home / "train.log", {"SEGUE_HOME": str(home)})
    bars = {"at_most": TRAIN_SECONDS, "gigabytes": TRAIN_GIGABYTES} if name == LARGEST else {}
    return judged("training", f"{SIZES[name].listens:,} listens", spent, **bars)


def lists_row(home: Path, name: str) -> Measure:
    """Home lists of every active listener; seconds without loading, peak of the whole process."""
    spent, found = _inside(home, "batch")
    seconds, answers = found["seconds"], found["answers"]
    rate = answers / seconds
    is_barred = name == LARGEST
    return Measure(
        "recommendations",
        f"{answers:,} listeners",
        seconds,
        f"{rate:,.0f} listeners/s",
        f"{LISTS_A_SECOND:,.0f} a second" if is_barred else "",
        spent.peak_mb,
        is_barred and rate < LISTS_A_SECOND,
        spent.cpu,
        spent.others,
    )


STEPS: dict[str, Callable[[Path, str], Measure]] = {
    "lake": lake_row,
    "build": build_row,
    "day": day_row,
    "state": state_row,
    "train": train_row,
    "lists": lists_row,
}


def with_growth_bar(day: Measure, earlier: Measure) -> Measure:
    """The row of the day more after 120 days, beside the bar that the same day after 12 days sets."""
    at_most = DAY_GROWTH * earlier.seconds
    spent = Spent(day.seconds, day.cpu, day.peak_mb, "", day.others)
    return judged(day.step, day.size, spent, day.rate, at_most=round(at_most, 1))


def growth(found: dict[str, dict[str, Measure]]) -> Table:
    """Seconds and peak memory of every step by size."""
    shown = Table(box=box.SIMPLE, title="How cost grows: seconds (peak MB)")
    shown.add_column("step")
    for name in found:
        shown.add_column(f"{SIZES[name].listens / 1e6:.1f} M listens", justify="right")
    for step in STEPS:
        rows = [found[name].get(step) for name in found]
        if any(rows):
            shown.add_row(step, *(_cell(row) for row in rows))
    return shown


def _cell(row: Measure | None) -> str:
    return f"{row.seconds:,.1f} ({row.peak_mb:,.0f})" if row else ""


def measured(name: str, home: Path, steps: list[str]) -> dict[str, Measure]:
    """The rows of a size; a step that fails ends it, for the next ones need what it leaves."""
    rows: dict[str, Measure] = {}
    home.mkdir(parents=True, exist_ok=True)
    for step in steps:
        console().print(f"{name}: {step} ...")
        try:
            rows[step] = STEPS[step](home, name)
        except SystemExit as failure:
            console().print(f"[red]{name}: {step} failed[/]: {failure}", markup=True)
            break
    return rows


def sizes_up_to(name: str) -> list[str]:
    """The named size after all smaller ones."""
    names = list(SIZES)
    return names[: names.index(name) + 1]


def main() -> int:
    """Print the tables; 1 when a bar was missed or a step failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, required=True)
    parser.add_argument("--alone", action="store_true", help="without the smaller sizes")
    parser.add_argument("--only", action="append", choices=STEPS, help="repeatable")
    parser.add_argument("--home", type=Path, help="keep the homes in this folder")
    asked = parser.parse_args()
    steps = asked.only or list(STEPS)
    names = [asked.size] if asked.alone else sizes_up_to(asked.size)
    before = control()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.home or Path(scratch)
        found = {name: measured(name, folder / name, steps) for name in names}
    if "day" in found.get(LARGEST, {}) and "day" in found.get(REFERENCE, {}):
        rows = found[LARGEST]
        rows["day"] = with_growth_bar(rows["day"], found[REFERENCE]["day"])
    return told(found, steps, before)


def told(found: dict[str, dict[str, Measure]], steps: list[str], before: float) -> int:
    """Print what was found; 1 when a bar was missed or a step has no row."""
    every = [row for rows in found.values() for row in rows.values()]
    show(every)
    said = console()
    said.print(growth(found))
    said.print(f"Control, a fixed loop in NumPy: {before:.2f} s before, {control():.2f} s after.")
    said.print(
        "others: cores that other programs kept busy meanwhile; seconds beside them say little. "
        "models alone: the sum over models, of which two run at a time."
    )
    is_short = any(len(rows) < len(steps) for rows in found.values())
    return int(is_short or any(row.missed for row in every))


if __name__ == "__main__":
    sys.exit(main())
