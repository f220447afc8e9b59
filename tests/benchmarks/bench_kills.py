"""Kill anywhere: a life that is killed at random moments and run again holds what one never killed holds.

    python -m tests.benchmarks.bench_kills --kills 200 --seed 1

Belongs here: the reference life, kills drawn from a seed, the table. Does not belong here: steps and kills
(killed_steps.py), what counts as equal (killed_compare.py).

Before each kill the home is put back as it stood before the step; the step is killed, run again to its end,
and compared with the reference after that step. Half the kills fall at any instant of the step's time, half
just before something on the disk changes.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich import box
from rich.table import Table

from orchestration.settings import Settings
from tests.benchmarks import killed_compare
from tests.benchmarks.killed_child import Death, Ended, Step, run
from tests.benchmarks.killed_steps import (
    PHASES,
    begin,
    drawn,
    restore,
    steps,
    under_way,
    warm,
)
from tests.benchmarks.measure import console

# A step that ends before its kill is drawn again this often.
_TRIES = 4


class LifeError(Exception):
    """A step of the reference failed: nothing can be compared."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A life never killed: how the home stood before each step, what it held after it, and how the step
    went."""

    root: Path
    settings: Settings
    steps: Sequence[Step]
    calm: dict[str, Ended]

    @property
    def log(self) -> Path:
        """What children say."""
        return self.root / "log.txt"

    def before(self, step: Step) -> Path:
        """The home before a step."""
        return self.root / "before" / step.name.replace(" ", "_")

    def after(self, step: Step) -> Path:
        """Facts of the home after a step."""
        return self.root / "after" / f"{step.name.replace(' ', '_')}.pickle"


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: where it fell (`place`: the asset under way), and what differed after the second run."""

    step: Step
    death: Death
    place: str
    differing: tuple[str, ...]
    leftovers: tuple[str, ...] = ()


@dataclass(slots=True)
class Counts:
    """Kills of a step by where they fell; those that healed; what differed."""

    places: Counter[str] = field(default_factory=Counter)
    healed: int = 0
    differing: list[str] = field(default_factory=list)


def live(root: Path, lived: int = 2) -> Reference:
    """The reference life, in `root`, to its `lived` days."""
    (root / "before").mkdir(parents=True)
    (root / "after").mkdir()
    settings = begin(root / "home")
    warm()
    reference = Reference(root, settings, steps(root / "source", lived), {})
    for step in reference.steps:
        shutil.copytree(settings.home, reference.before(step))
        ended = run(step, settings, reference.log)
        if ended.code:
            raise LifeError(f"{step.name}: {ended.said}")
        reference.calm[step.name] = ended
        _look(reference, reference.after(step))
    return reference


def _look(reference: Reference, path: Path) -> None:
    """Have a child keep the home's facts in `path`: the parent opens no database."""
    look = Step(
        "look", "", lambda settings: killed_compare.keep(killed_compare.facts(settings.home), path)
    )
    if (ended := run(look, reference.settings, reference.root / "look.txt")).code:
        raise LifeError(ended.said)


def differing(reference: Reference, step: Step) -> list[str]:
    """What differs between the home as it stands and the reference after `step`."""
    out = reference.root / "differing.json"

    def compare(settings: Settings) -> None:
        ours, theirs = (
            killed_compare.facts(settings.home),
            killed_compare.kept(reference.after(step)),
        )
        out.write_text(json.dumps(killed_compare.differences(ours, theirs)))

    if (ended := run(Step("compare", "", compare), reference.settings, reference.log)).code:
        return [f"it cannot be read: {ended.said.strip().splitlines()[-1]}"]
    found: list[str] = json.loads(out.read_text())
    return found


def kill_once(reference: Reference, step: Step, rng: random.Random) -> Kill | None:
    """Kill a step and let it through; None where it ended before every drawn moment."""
    calm = reference.calm[step.name]
    for _ in range(_TRIES):
        death = drawn(rng, calm)
        restore(reference.before(step), reference.settings.home)
        if run(step, reference.settings, reference.log, death).code == -9:
            return _let_through(reference, step, death)
    return None


def _let_through(reference: Reference, step: Step, death: Death) -> Kill:
    place = under_way(reference.settings) or "before the first asset"
    again = run(step, reference.settings, reference.log)
    if again.code:
        said = again.said.strip().splitlines()
        return Kill(step, death, place, (f"the second run failed: {' '.join(said[-3:])}",))
    home = reference.settings.home
    left = killed_compare.leftovers(home)
    return Kill(step, death, place, tuple(differing(reference, step)), tuple(left))


def plan(
    kills: int, killed: Sequence[Step], calm: dict[str, Ended], rng: random.Random
) -> list[Step]:
    """Which steps to kill: phases in turn, so that each has its share; within a phase at random, short
    steps sooner than long ones."""
    chosen = []
    phases = [phase for phase in PHASES if any(step.phase == phase for step in killed)]
    for number in range(kills):
        among = [step for step in killed if step.phase == phases[number % len(phases)]]
        weights = [1 / calm[step.name].seconds for step in among]
        chosen.append(rng.choices(among, weights)[0])
    return chosen


def table(counts: dict[str, Counts], reference: Reference) -> Table:
    """A row a step."""
    shown = Table(box=box.SIMPLE)
    for header in ("phase", "step", "seconds", "kills", "where they fell", "healed", "differing"):
        shown.add_column(header, justify="left" if header in ("phase", "step") else "right")
    for step in reference.steps:
        found = counts.get(step.name)
        if found is None:
            continue
        places = ", ".join(f"{name} {number}" for name, number in found.places.most_common())
        shown.add_row(
            step.phase,
            step.name,
            f"{reference.calm[step.name].seconds:.1f}",
            str(found.places.total()),
            places,
            str(found.healed),
            str(len(found.differing)),
        )
    return shown


def measured(
    reference: Reference, kills: int, seed: int, phases: Sequence[str] = PHASES
) -> dict[str, Counts]:
    """Kill and count; each kill is a line as it comes."""
    rng = random.Random(seed)
    killed = [step for step in reference.steps if step.phase in phases]
    counts: dict[str, Counts] = {}
    began = time.monotonic()
    for number, step in enumerate(plan(kills, killed, reference.calm, rng), start=1):
        kill = kill_once(reference, step, rng)
        if kill is None:
            console().print(f"{number}/{kills} {step.name}: ended before every drawn moment")
            continue
        found = counts.setdefault(step.name, Counts())
        found.places[kill.place] += 1
        found.healed += not kill.differing
        if kill.differing:
            what = "; ".join(kill.differing[:5])
            found.differing.append(f"{step.name} ({kill.place}, {kill.death}): {what}")
        told = "healed" if not kill.differing else f"[red]differs[/]: {found.differing[-1]}"
        left = f"; left aside: {', '.join(kill.leftovers[:3])}" if kill.leftovers else ""
        seconds = time.monotonic() - began
        console().print(f"{number}/{kills} {seconds:.0f} s {step.name}, {kill.place}: {told}{left}")
    return counts


def main() -> None:
    """Live, kill, print; ends with 1 where a life differed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=PHASES, action="append", help="Phases (default: all).")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        reference = live(Path(name))
        counts = measured(reference, asked.kills, asked.seed, asked.only or PHASES)
    shown = console()
    shown.print(table(counts, reference))
    bad = [line for found in counts.values() for line in found.differing]
    healed = sum(found.healed for found in counts.values())
    for line in bad:
        shown.print(line)
    shown.print(
        f"{healed + len(bad)} kills, {healed} healed, {len(bad)} differing; seed {asked.seed}"
    )
    sys.stdout.flush()
    # As `segue` ends: the interpreter's shutdown prints a page about DuckDB's binding.
    os._exit(1 if bad else 0)


if __name__ == "__main__":
    main()
