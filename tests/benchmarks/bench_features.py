"""Time and memory of the feature models: a full build, then one more day.

    python -m tests.benchmarks.bench_features [--listens 2000000 --days 200] [--command run] [--home FOLDER]

Belongs here: dbt runs in child processes, so that time and peak memory are theirs alone. Does not belong
here: the lake they read (inputs.py), whether the rows are right (tests/dbt).
"""

import argparse
import json
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from tests.benchmarks.inputs import FIRST_DAY
from tests.benchmarks.measure import ROOT, Measure, Spent, console, judged, run_child, show

PROJECT = ROOT / "dbt_project"
BAR_SECONDS, BAR_GIGABYTES = 20.0, 1.5
SLOWEST = 5


def run_range(home: Path, first: date, last: date, command: str) -> Spent:
    """Run dbt over [first, last) in a child process, start and parsing included."""
    environment = {
        "SEGUE_WAREHOUSE": str(home / "warehouse.duckdb"),
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
    }
    variables = {
        "start_day": first.isoformat(),
        "end_day": last.isoformat(),
        "lake": str(home / "lake"),
        "artifacts": str(home / "artifacts"),
    }
    arguments: list[str | Path] = [
        Path(sys.executable).with_name("dbt"), command, "--quiet",
        "--project-dir", PROJECT, "--profiles-dir", PROJECT,
        "--vars", json.dumps(variables),
    ]  # fmt: skip
    if command == "build":
        arguments += ["--exclude-resource-type", "unit_test"]
    return run_child(arguments, home / "dbt.log", environment)


def slowest(home: Path) -> str:
    """Seconds of the slowest models of the latest run; two run at a time."""
    results = json.loads((home / "target" / "run_results.json").read_text())["results"]
    longest = sorted(results, key=lambda result: -result["execution_time"])[:SLOWEST]
    return ", ".join(
        f"{result['unique_id'].split('.')[2]} {result['execution_time']:.1f}" for result in longest
    )


def measure(home: Path, listens: int, days: int, command: str) -> tuple[list[Measure], list[str]]:
    """`listens` of `days` built as one range, then a day more of as many; the rows, and the slowest
    models of each."""
    a_day = listens // days
    size = ("--listens", str(listens + a_day), "--days", str(days + 1))
    inputs = ("-m", "tests.benchmarks.inputs", "lake", home / "lake", *size)
    run_child([sys.executable, *inputs], home / "inputs.log")
    last = FIRST_DAY + timedelta(days=days)
    full = run_range(home, FIRST_DAY, last, command)
    models = [slowest(home)]
    day = run_range(home, last, last + timedelta(days=1), command)
    models.append(slowest(home))
    rows = [
        judged(
            "features: full build",
            f"{listens:,} listens, {days} days",
            full,
            f"{listens / full.seconds:,.0f} listens/s",
            at_most=BAR_SECONDS,
            gigabytes=BAR_GIGABYTES,
        ),
        judged("features: one more day", f"{a_day:,} listens", day),
    ]
    return rows, models


def rows(listens: int = 2_000_000, days: int = 200) -> list[Measure]:
    """Two rows: the full build and one more day."""
    with tempfile.TemporaryDirectory() as scratch:
        return measure(Path(scratch), listens, days, "run")[0]


def main() -> None:
    """Print the table and the slowest models."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listens", type=int, default=2_000_000)
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--command", choices=("run", "build"), default="run")
    parser.add_argument("--home", type=Path, help="keep lake and warehouse in this empty folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = asked.home or Path(scratch)
        home.mkdir(parents=True, exist_ok=True)
        measured, models = measure(home, asked.listens, asked.days, asked.command)
    show(measured)
    for row, line in zip(measured, models, strict=True):
        console().print(f"{row.step}, seconds in models: {line}")


if __name__ == "__main__":
    main()
