"""A life in small: history, training, a lived day, its answers and its reports, each as `segue` does it.

    python -m tests.benchmarks.run --only a_day

Belongs here: commands in a home of their own, each in a child process. Does not belong here: a home of
the demo's size (`make demo` says how long it took). The world is small so that training takes a minute.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import Measure, Spent, judged, run_child

REPORTS_BAR, PAGE_BAR_MB = 10.0, 5.0
SEGUE = Path(sys.executable).with_name("segue")


def _segue(home: Path, *arguments: str) -> Spent:
    return run_child([SEGUE, *arguments], home.with_name("segue.log"), {"SEGUE_HOME": str(home)})


def _inside(home: Path, work: str) -> tuple[Spent, dict[str, Any]]:
    """Work of in_a_home.py, and the JSON object it printed last."""
    spent = run_child(
        [sys.executable, "-m", "tests.benchmarks.in_a_home", work],
        home.with_name(f"{work}.log"),
        {"SEGUE_HOME": str(home)},
    )
    found: dict[str, Any] = json.loads(spent.printed.splitlines()[-1])
    return spent, found


def batch_row(home: Path) -> Measure:
    """Answers of a day; seconds without loading the model, peak of the whole process."""
    spent, found = _inside(home, "batch")
    seconds, answers = found["seconds"], found["answers"]
    rate = f"{answers / seconds:,.0f} listeners/s"
    size = f"{answers:,} listeners"
    return Measure(
        "batch recommendations", size, seconds, rate, peak_mb=spent.peak_mb, others=spent.others
    )


def reports_row(home: Path) -> Measure:
    """Five reports of a day; seconds from Dagster's event log, peak of the process that wrote them."""
    spent, found = _inside(home, "reports")
    seconds = sum(found["steps"].values())
    return Measure(
        "reports of a day",
        f"{found['pages']} pages",
        seconds,
        f"largest {found['largest_mb']:.1f} MB",
        f"{REPORTS_BAR:g} s, {PAGE_BAR_MB:g} MB a page",
        spent.peak_mb,
        seconds > REPORTS_BAR or found["largest_mb"] > PAGE_BAR_MB,
        others=spent.others,
    )


def rows(listeners: int = 1_000, tracks: int = 4_000, days: int = 30) -> list[Measure]:
    """Five rows; the day is the second one lived, so that its lists were in force on it."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        world = {"--listeners": listeners, "--tracks": tracks, "--days": days}
        _segue(home, "simulate", *(str(part) for pair in world.items() for part in pair))
        history = _segue(home, "run", "bootstrap")
        size = f"{_inside(home, 'held')[1]['listens']:,} listens, {days} days"
        training = _segue(home, "run", "train")
        _segue(home, "run", "daily")
        day = _segue(home, "run", "daily")
        return [
            judged("a simulated history", size, history),
            judged("training", size, training),
            judged("a day lived", f"{listeners:,} listeners", day),
            batch_row(home),
            reports_row(home),
        ]
