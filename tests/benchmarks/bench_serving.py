"""Home and Now Playing over HTTP: two workers of one thread each, the load generator beside them.

    python -m tests.benchmarks.bench_serving [--tracks 100000 --listeners 50000] [--seconds 8] [--long]

Belongs here: which load, which bars. Does not belong here: the generator (serving_load), the home
(serving_world), the service's process (serving_process).

An empty handler is called first: where its own p99 exceeds 4 ms the machine is too busy, and no bar is
judged. `--long` adds ten minutes at 80 % of saturation and a whole minute of five times the capacity.
"""

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson

from ml.registry.pointer import read_pointer, write_pointer
from orchestration.settings import Settings
from tests.benchmarks.measure import Measure, console, control, show
from tests.benchmarks.serving_calls import SURFACES, wires
from tests.benchmarks.serving_children import batch_row, handler_rows, made
from tests.benchmarks.serving_load import Calls, Client, call_bytes, load
from tests.benchmarks.serving_process import Served, scraped, serving
from tests.benchmarks.serving_world import AT

EMPTY_P99 = 4.0
BARS = {50: (5.0, 10.0), 200: (None, 25.0)}
SATURATION = 300.0
OVERLOADED_P99 = 60.0
RECOVERY = 2.0
# A step carries its rate when this share of its calls is answered.
_CARRIED = 0.995
# Memory that is no file's may grow by so much between a tenth of the lasting load and its end.
_FLAT = 1.05
# Seconds that workers may take to load another bundle while they answer.
_SWAPPED_WITHIN = 40.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds of a steady load, of a step towards saturation, of overload and of the load at 80 %."""

    steady: float
    step: float
    overload: float
    lasting: float


def row(
    step: str, size: str, calls: Calls, bar: str = "", *, missed: bool = False, rate: str = ""
) -> Measure:
    """One load as a row: percentiles, what was not answered."""
    other = len(calls.status) - calls.count(200)
    said = f"p50 {calls.percentile(50):.1f}, p99 {calls.percentile(99):.1f} ms"
    said += f", {other} not answered" if other else ""
    last = float(np.nanmax(calls.done, initial=0.0))
    return Measure(f"serving: {step}", size, last, rate or said, bar, missed=missed)


def steady_row(surface: str, rate: int, calls: Calls, cpu: float = 0.0) -> Measure:
    """A steady load beside its bars; `cpu` seconds of the service meanwhile."""
    half, most = BARS[rate]
    bar = f"p50 {half:g}, p99 {most:g} ms" if half else f"p99 {most:g} ms"
    slow = calls.percentile(99) > most or (half is not None and calls.percentile(50) > half)
    missed = bool(slow or calls.count(200) < len(calls.status))
    found = row(surface, f"{rate}/s", calls, bar, missed=missed)
    each = f", CPU {cpu / max(calls.count(200), 1) * 1e3:.1f} ms each" if cpu else ""
    return replace(found, rate=found.rate + each, cpu=cpu)


async def saturation(client: Client, wire: list[bytes], seconds: float) -> tuple[float, Calls]:
    """(calls a second answered at the last step that carried its rate, that step)."""
    rate, carried = 50.0, 0.0
    best = Calls(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64))
    while rate < 5_000:
        calls = await load(client, wire, rate, seconds, seed=int(rate))
        if calls.count(200) < _CARRIED * len(calls.status):
            break
        carried, best = calls.count(200) / float(np.nanmax(calls.done)), calls
        rate *= 1.25
    return carried, best


async def overload(client: Client, wire: list[bytes], rate: float, seconds: float) -> list[Measure]:
    """Five times what is carried, then half of it: what is accepted, what is shed, how soon all is well."""
    calls = await load(client, wire, 5 * rate, seconds, seed=5)
    after = await load(client, wire, rate / 2, 4.0, seed=6)
    shed, failed = calls.count(503), len(calls.status) - calls.count(200) - calls.count(503)
    slow = after.due[(after.status != 200) | ((after.done - after.due) * 1e3 > OVERLOADED_P99)]
    recovered = float(slow.max(initial=0.0))
    share = f"{shed / len(calls.status):.0%} shed, {failed} failed, "
    said = f"accepted p99 {calls.percentile(99):.1f} ms, {share}{calls.count(200) / seconds:,.0f}/s"
    bar = f"p99 {OVERLOADED_P99:g} ms, rest shed"
    missed = calls.percentile(99) > OVERLOADED_P99 or failed > 0
    return [
        row("overload", f"{5 * rate:,.0f}/s", calls, bar, missed=missed, rate=said),
        row(
            "after it",
            f"{rate / 2:,.0f}/s",
            after,
            f"within {RECOVERY:g} s",
            missed=recovered > RECOVERY,
            rate=f"recovered after {recovered:.1f} s",
        ),
    ]


async def lasting(
    client: Client, wire: list[bytes], rate: float, seconds: float, served: Served
) -> Measure:
    """A load that lasts: what was not answered, and the service's own memory after a tenth and at the end."""
    first = await load(client, wire, rate, 0.1 * seconds, seed=9)
    before = served.own()
    rest = await load(client, wire, rate, 0.9 * seconds, seed=10)
    after = served.own()
    status = np.concatenate([first.status, rest.status])
    shed, lost = int((status == 503).sum()), int((status != 200).sum())
    said = f"p50 {rest.percentile(50):.1f}, p99 {rest.percentile(99):.1f} ms, {shed} of "
    said += f"{len(status):,} shed, {lost - shed} failed; memory {before:,.0f}, {after:,.0f} MB"
    bar = "none lost, memory flat"
    missed = lost > 0 or after > _FLAT * before
    return row("80 %", f"{rate:,.0f}/s", rest, bar, missed=missed, rate=said)


async def promotion(
    client: Client, wire: list[bytes], pointer: Path, versions: tuple[str, str]
) -> Measure:
    """The other bundle becomes champion under 50 calls a second, which go on until both workers took
    it; none may fail, each names one model."""
    parts = [await load(client, wire, 50, 2.0, seed=8, keep=True)]
    write_pointer(pointer, versions[1], AT.isoformat())
    began, by_former = time.perf_counter(), True
    while by_former and time.perf_counter() - began < _SWAPPED_WITHIN:
        parts.append(await load(client, wire, 50, 2.0, seed=len(parts), keep=True))
        by_former = versions[0] in _named(parts[-1])
    named = [version for part in parts for version in _named(part)]
    by = {version: named.count(version) for version in versions}
    failed = sum(len(part.status) - part.count(200) for part in parts)
    said = f"{failed} failed, {by[versions[0]]} by the former, {by[versions[1]]} by the new model"
    missed = failed > 0 or by_former or sum(by.values()) != len(named)
    worst = max(part.percentile(99) for part in parts)
    seconds = time.perf_counter() - began
    size = f"50/s, p99 {worst:.0f} ms"
    return Measure("serving: a promotion", size, seconds, said, "none failed", missed=missed)


def _named(calls: Calls) -> list[str]:
    return [orjson.loads(body)["model_version"] for body in calls.bodies]


def stage_rows(before: dict[tuple[str, str], tuple[float, float]], served: Served) -> list[Measure]:
    """Mean time per stage of the steady loads, from /metrics."""
    found = []
    after = scraped(served.port)
    for surface in SURFACES:
        stages = []
        for (at, stage), (seconds, count) in after.items():
            earlier = before.get((at, stage), (0.0, 0.0))
            if at == surface and count > earlier[1]:
                mean = (seconds - earlier[0]) / (count - earlier[1])
                stages.append(f"{stage} {mean * 1e3:.2f}")
        found.append(Measure(f"serving: {surface}, ms by stage", "mean", 0.0, ", ".join(stages)))
    return found


async def steady(
    client: Client, wire: dict[str, list[bytes]], served: Served, seconds: float
) -> list[Measure]:
    """Both surfaces at both rates after a little warming, then their time by stage."""
    for surface in SURFACES:
        await load(client, wire[surface], 30, 1.5, seed=2)
    before, found = scraped(served.port), []
    for rate in BARS:
        for surface in SURFACES:
            spent = served.cpu()
            calls = await load(client, wire[surface], rate, seconds, seed=rate)
            found.append(steady_row(surface, rate, calls, served.cpu() - spent))
    return found + stage_rows(before, served)


async def judge(
    home: Path, served: Served, versions: tuple[str, str], plan: Plan
) -> tuple[list[Measure], bool]:
    """All rows of the running service, and whether the machine was quiet enough to judge."""
    wire = wires(home)
    memory = served.memory()
    async with Client(served.port) as client:
        empty = await load(client, [call_bytes("GET", "/health")], 100, 3.0, seed=1)
        quiet = empty.percentile(99) <= EMPTY_P99
        found = [row("an empty handler", "100/s", empty, f"p99 {EMPTY_P99:g} ms", missed=not quiet)]
        found += await steady(client, wire, served, plan.steady)
        mixed = [one for pair in zip(*wire.values(), strict=True) for one in pair]
        carried, calls = await saturation(client, mixed, plan.step)
        said = f"{carried:,.0f}/s, p99 {calls.percentile(99):.1f} ms"
        bar = f"{SATURATION:g}/s"
        found.append(row("saturation", "both", calls, bar, missed=carried < SATURATION, rate=said))
        if plan.lasting:
            found.append(await lasting(client, mixed, 0.8 * carried, plan.lasting, served))
        found += await overload(client, mixed, max(carried, 50.0), plan.overload)
        pointer = Settings(home).champion_pointer
        found.append(await promotion(client, mixed, pointer, versions))
    found.append(_memory_row(memory, served.memory()))
    return found, quiet


def _memory_row(before: tuple[float, float], after: tuple[float, float]) -> Measure:
    said = f"{before[0]:,.0f} MB before, {after[0]:,.0f} after (resident {after[1]:,.0f})"
    return Measure("serving: memory of all", "shared once", 0.0, said)


def rows(home: Path, plan: Plan) -> tuple[list[Measure], bool]:
    """The service on `home`, then the batch; and whether the machine was quiet enough to judge."""
    settings = Settings(home)
    first = read_pointer(settings.champion_pointer)
    if first is None:
        raise SystemExit(f"expected a champion in {home}, found none; make a new home")
    others = (one.name for one in settings.bundles.iterdir() if not one.name.startswith("."))
    second = next(name for name in others if name != first.version)
    with tempfile.TemporaryDirectory() as name, serving(home, Path(name) / "serve.log") as served:
        began = Measure("serving: start to ready", "2 workers", served.ready_after)
        found, quiet = asyncio.run(judge(home, served, (first.version, second), plan))
    with tempfile.TemporaryDirectory() as name:
        found += handler_rows(home, Path(name))
        found.append(batch_row(home, Path(name)))
    return [began, *found], quiet


def main() -> int:
    """Print the table between two controls; 1 when a bar was missed, 2 when nothing could be judged."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--listeners", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each steady load")
    parser.add_argument("--long", action="store_true", help="also ten minutes at 80 %%")
    parser.add_argument("--home", type=Path, help="a home that serving_world made")
    told = parser.parse_args()
    plan = Plan(told.seconds, 2.5, 60.0 if told.long else 5.0, 600.0 if told.long else 0.0)
    before, began = control(), time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        home = told.home or Path(name) / "home"
        found = [] if told.home else [made(home, told.tracks, told.listeners)]
        measured, quiet = rows(home, plan)
    show([*found, *measured])
    say = console().print
    say(f"Control, a fixed loop in NumPy: {before:.2f} s before, {control():.2f} s after.")
    say(f"{time.perf_counter() - began:.0f} s in all.")
    if not quiet:
        say(
            f"Not judged: an empty handler's p99 exceeds {EMPTY_P99:g} ms, the machine is too busy."
        )
        return 2
    return int(any(one.missed for one in measured))


if __name__ == "__main__":
    raise SystemExit(main())
