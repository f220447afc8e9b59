"""`segue` commands on another home, in processes of their own, timed.

Belongs here: running one and what it cost. Does not belong here: what is run.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml.errors import SegueError
from orchestration.cli.console import console, show
from orchestration.settings import REPOSITORY, environment_of

SEGUE = (sys.executable, "-c", "from orchestration.cli.main import main; main()")
SEED = 7


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds and peak megabytes of one command."""

    seconds: float
    megabytes: float


def segue(home: Path, arguments: Sequence[str]) -> Cost:
    """Run a `segue` command on a home.

    Raises:
        SegueError: it failed; its own words follow.
    """
    command = [*SEGUE, *arguments]
    log = home.with_name(f"{home.name}.log")
    began = time.monotonic()
    with log.open("ab") as file:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdout=file,
            stderr=file,
            cwd=REPOSITORY,
            env=environment_of(home),
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        words = log.read_text(errors="replace").strip().splitlines()[-12:]
        raise SegueError(f"`segue {' '.join(arguments)}` failed:\n" + "\n".join(words))
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Cost(time.monotonic() - began, usage.ru_maxrss / unit)


def show_costs(costs: Mapping[str, Cost]) -> None:
    """Time and peak memory of each step."""
    body = [
        [name, f"{cost.seconds:.0f} s", f"{cost.megabytes:,.0f} MB"] for name, cost in costs.items()
    ]
    show("Cost", ["step", "time", "peak memory"], body)
    console.print(f"{os.cpu_count()} cores, seed {SEED}, 95 % paired bootstrap by listener.")
