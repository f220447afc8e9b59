"""Incidents through the whole graph, beside the light bench's word on the same seed and incident.

    python -m tests.benchmarks.bench_monitoring_graph [--seeds 4 5 6]

Belongs here: homes that live an incident under Dagster, dbt and the reports, and whether both ways agree.
Does not belong here: the light lives (bench_monitoring). An incident begins on the third day after a
training; catching it is judged on its first two days, as there. A home has four weeks of history and no
weeks under its own lists before, so drift of inputs and scores is at most `watch` in it.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from rich import box
from rich.table import Table

from monitoring.areas import AreaReport
from monitoring.reports import read_reports
from monitoring.suspects import words
from orchestration.beginning import FIRST_DAY
from orchestration.settings import REPOSITORY, environment_of
from tests.benchmarks.bench_monitoring import CULPRITS, SOON, Told, lives
from tests.benchmarks.measure import console

HISTORY, QUIET_BEFORE = 56, 2
INCIDENTS = ("unit_bug", "missing_surface", "catalogue_drop")


def segue(home: Path, *arguments: str) -> None:
    """Run a `segue` command on a home; its words stay unprinted unless it fails."""
    done = subprocess.run(
        [sys.executable, "-c", "from orchestration.cli.main import main; main()", *arguments],
        cwd=REPOSITORY,
        env=environment_of(home),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(
            f"{' '.join(arguments)} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        )


def lived(home: Path, seed: int, incident: str, listeners: int, tracks: int) -> list[AreaReport]:
    """The reports of the days after a training, two quiet ones and two of the incident."""
    first_bad = HISTORY + QUIET_BEFORE + 1
    world = (
        f"--seed={seed}",
        f"--listeners={listeners}",
        f"--tracks={tracks}",
        f"--days={HISTORY}",
    )
    segue(home, "simulate", *world, f"--incident={incident}", f"--incident-day={first_bad}")
    for job in ("bootstrap", "train"):
        console().print(f"seed {seed}, {incident}: {job}")
        segue(home, "run", job)
    for number in range(QUIET_BEFORE + SOON):
        day = FIRST_DAY + timedelta(days=HISTORY + number)
        console().print(f"seed {seed}, {incident}: {day}")
        segue(home, "run", "daily", "--day", day.isoformat())
    return read_reports(home / "reports")


def worst_of(reports: Sequence[AreaReport], first: int, days: int) -> list[AreaReport]:
    """Reports of days by number after the history, the worst first."""
    wanted = {FIRST_DAY + timedelta(days=HISTORY + first + one) for one in range(days)}
    found = [one for one in reports if one.day in wanted]
    return sorted(found, key=lambda one: -one.verdict.rank)


def is_named(reports: Sequence[AreaReport], incident: str) -> bool:
    """Whether the right suspect stands first in a report with the worst verdict."""
    worst = [one for one in reports if one.verdict is reports[0].verdict and one.reasons]
    return any(one.reasons[0].startswith(words(CULPRITS[incident])) for one in worst)


def row(seed: int, incident: str, reports: Sequence[AreaReport], light: Told) -> list[str]:
    """Cells: seed, incident, worst on the quiet days, worst on the incident's, light's, both agree."""
    quiet = worst_of(reports, 0, QUIET_BEFORE)
    bad = worst_of(reports, QUIET_BEFORE, SOON)
    caught, named = bad[0].verdict.value != "ok", is_named(bad, incident)
    agree = (caught, named) == (light.is_caught, light.is_named)
    return [
        str(seed),
        incident,
        quiet[0].verdict.value,
        f"{bad[0].verdict.value}, {'named' if named else 'not named'}",
        f"{' '.join(light.verdicts[:SOON])}, {'named' if light.is_named else 'not named'}",
        "[green]agree[/]" if agree else "[red]differ[/]",
    ]


def main() -> int:
    """Print the table; 1 where the two ways differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[4, 5, 6])
    parser.add_argument("--listeners", type=int, default=600)
    parser.add_argument("--tracks", type=int, default=2_000)
    told = parser.parse_args()
    table = Table(box=box.SIMPLE)
    for header in ("seed", "incident", "quiet days", "whole graph", "light bench", ""):
        table.add_column(header)
    differing = 0
    for place, seed in enumerate(told.seeds):
        incident = INCIDENTS[place % len(INCIDENTS)]
        with tempfile.TemporaryDirectory(prefix="segue-graph-") as folder:
            reports = lived(Path(folder), seed, incident, told.listeners, told.tracks)
        incidents = lives(seed, told.listeners, told.tracks).incidents
        light = next(one for one in incidents if one.incident == incident)
        cells = row(seed, incident, reports, light)
        differing += "differ" in cells[-1]
        table.add_row(*cells)
    console().print(table)
    return int(differing > 0)


if __name__ == "__main__":
    raise SystemExit(main())
