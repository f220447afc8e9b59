"""A small life, killed a dozen times and run out of room a few times; what came of it, as JSON.

    python -m tests.e2e.harmed_life ROOT

Belongs here: the child that the tests of kills and full disks start: it forks, so it is a process without
threads of others. Does not belong here: what must hold (test_killed_anywhere.py, test_full_disk.py).

Left in ROOT: results.json, `home` as the life ended without harm.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ml.lake.store import Lake
from orchestration.settings import Settings
from tests.benchmarks import killed_compare
from tests.benchmarks.bench_kills import Reference, differing, kill_once, live, plan
from tests.benchmarks.killed_child import Step, run
from tests.benchmarks.killed_steps import restore

KILLS, SEED = 12, 11
DISK = "64m"


@dataclass(frozen=True, slots=True)
class Shortage:
    """A step on a disk that holds the folder `on` of the home and has `room` bytes left."""

    name: str
    step: str
    on: str
    room: int


# What the run itself records needs room too, so most disks hold a part of the home only.
SHORTAGES = (
    Shortage("import", "import", "imported", 8_192),
    Shortage("dbt", "dbt, day 1", "", 2_000_000),
    Shortage("bundle", "evaluation, bundle", "artifacts", 150_000),
    Shortage("state", "lists of day 1", "artifacts", 40_000),
    Shortage("report", "input reports of day 1", "reports", 500_000),
    Shortage("records of the run", "lists of day 1", "", 30_000),
)


@contextmanager
def disk(place: Path) -> Iterator[None]:
    """A small disk of its own at `place`."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def unmountable(root: Path) -> str:
    """Why no disk can be mounted here; "" where one can."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return "mounting a small disk needs root and mount"
    place = root / "tried"
    place.mkdir()
    tried = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, text=True
    )
    if tried.returncode:
        return f"mount refuses: {tried.stderr.strip()}"
    subprocess.run(["umount", place], check=True)
    return ""


def fill(place: Path, room: int) -> Path:
    """Fill a disk until `room` bytes are left, and return the file that does it."""
    filler = place / ".filler"
    with filler.open("wb") as file:
        file.write(b"\0" * (shutil.disk_usage(place).free - room))
    return filler


def changed(reference: Reference, step: Step) -> list[str]:
    """What stood before the step and does not stand as it was; tables that cannot be read."""
    found = reference.root / "changed.json"

    def look(settings: Settings) -> None:
        now = killed_compare.facts(settings.home)
        before = killed_compare.facts(reference.before(step))
        lost = [name for name in before.files if now.files.get(name) != before.files[name]]
        lost += sorted(before.tables.keys() - now.tables.keys())
        kept = ("champion.json", "champion", "promotions")
        lost += [name for name in kept if before.told.get(name) not in (None, now.told.get(name))]
        found.write_text(json.dumps(lost))

    ended = run(Step("look", "", look), reference.settings, reference.log)
    return list(json.loads(found.read_text())) if not ended.code else [ended.said]


def short_of_room(reference: Reference, shortage: Shortage) -> dict[str, object]:
    """Run the step without room, look at what it left, make room and run it again."""
    [step] = [one for one in reference.steps if one.name == shortage.step]
    home = reference.settings.home
    shutil.rmtree(home)
    place = home / shortage.on
    with disk(place):
        restore(reference.before(step), home)
        filler = fill(place, shortage.room)
        ended = run(step, reference.settings, reference.log)
        lost = changed(reference, step)
        filler.unlink()
        again = run(step, reference.settings, reference.log)
        return {
            "code": ended.code,
            "said": ended.said,
            "lost": lost,
            "again": again.said if again.code else "",
            "differing": differing(reference, step),
            "place": str(place),
        }


def damaged(reference: Reference) -> dict[str, object]:
    """Cut off the end of the day's listens in the lake before dbt reads them; receive the day again."""
    receive, build = (
        next(one for one in reference.steps if one.name == name)
        for name in ("receive day 1", "dbt, day 1")
    )
    restore(reference.before(build), reference.settings.home)
    lake = Lake(reference.settings.home)
    [path] = lake.files("listens", lake.days("listens")[-1])
    path.write_bytes(path.read_bytes()[:-300])
    refused = run(build, reference.settings, reference.log)
    again = [run(step, reference.settings, reference.log).code for step in (receive, build)]
    return {
        "file": str(path.relative_to(reference.settings.home)),
        "code": refused.code,
        "said": refused.said,
        "again": again,
        "differing": differing(reference, build),
    }


def killed(reference: Reference) -> list[dict[str, object]]:
    """A dozen kills."""
    rng = random.Random(SEED)
    among = [step for step in reference.steps if step.phase]
    kills = [kill_once(reference, step, rng) for step in plan(KILLS, among, reference.calm, rng)]
    return [
        {"step": one.step.name, "phase": one.step.phase, "differing": one.differing}
        for one in kills
        if one is not None
    ]


def main() -> None:
    """Live, harm, write results.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    asked = parser.parse_args()
    asked.root.mkdir(exist_ok=True)
    reference = live(asked.root / "life", lived=1)
    whole = shutil.copytree(reference.settings.home, asked.root / "home")
    results: dict[str, object] = {"home": str(whole), "unmountable": unmountable(asked.root)}
    results["kills"] = killed(reference)
    results["damaged"] = damaged(reference)
    if not results["unmountable"]:
        results["disk"] = {one.name: short_of_room(reference, one) for one in SHORTAGES}
    (asked.root / "results.json").write_text(json.dumps(results, indent=1))
    # As `segue` ends: the interpreter's shutdown prints a page about DuckDB's binding.
    os._exit(0)


if __name__ == "__main__":
    main()
