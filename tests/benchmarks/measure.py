"""One row of the benchmark table, a step measured in a process of its own, and the table.

Belongs here: the row, child processes with their time and peak memory, the control, printing. Does not
belong here: what is measured (the modules beside this one).
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 160
# Less than a tenth of a core is the rounding of two clocks.
OTHERS_SHOWN = 0.1


@dataclass(frozen=True, slots=True)
class Measure:
    """One step as the table shows it.

    `size` says what went in ("1,000,000 rows"), `rate` what came out of it ("210,000 rows/s"), `bar`
    what was asked ("10 s, 1.5 GB"), all as text. `peak_mb` is the peak resident memory in MB of the
    process that did the step; `missed` says that the bar was not reached. `cpu` are the processor
    seconds of all its threads, `others` the cores that other programs kept busy meanwhile: beside a
    busy core `seconds` grow, and a missed bar says little.
    """

    step: str
    size: str
    seconds: float
    rate: str = ""
    bar: str = ""
    peak_mb: float = 0.0
    missed: bool = False
    cpu: float = 0.0
    others: float = 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What a child process took: wall and processor seconds, peak resident MB; what it printed; and the
    cores that other programs kept busy meanwhile."""

    seconds: float
    cpu: float
    peak_mb: float
    printed: str = field(repr=False)
    others: float = 0.0


def megabytes(usage: resource.struct_rusage) -> float:
    """Peak resident memory; ru_maxrss counts kilobytes on Linux, bytes on macOS."""
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def own_peak() -> float:
    """Peak resident memory of this process so far, in MB."""
    return megabytes(resource.getrusage(resource.RUSAGE_SELF))


def busy_seconds() -> float | None:
    """Processor seconds used on this machine since it started; None where it does not tell."""
    path = Path("/proc/stat")
    if not path.is_file():
        return None
    user, nice, system, _, _, irq, softirq, steal = map(int, path.read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def run_child(
    arguments: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
) -> Spent:
    """Run a command from the root of the repository; what it prints goes through the file `log`.

    Linux hands a child the peak of the process that started it as its own first peak: callers hold
    no data, and have children of their own write their inputs.

    Raises:
        SystemExit: the command failed; its last lines are the message.
    """
    command = [str(argument) for argument in arguments]
    with log.open("wb") as out:
        busy, began = busy_seconds(), time.perf_counter()
        process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        # wait4 and not wait: the usage is of this child alone.
        _, status, usage = os.wait4(process.pid, 0)
        seconds, busy_then = time.perf_counter() - began, busy_seconds()
    cpu = usage.ru_utime + usage.ru_stime
    others = 0.0
    if busy is not None and busy_then is not None:
        others = max(busy_then - busy - cpu, 0.0) / seconds
    printed = log.read_text(errors="replace")
    if status:
        last = "\n".join(printed.splitlines()[-20:])
        raise SystemExit(f"expected `{' '.join(command)}` to succeed, found:\n{last}")
    return Spent(seconds, cpu, megabytes(usage), printed, others)


def judged(
    step: str,
    size: str,
    spent: Spent,
    rate: str = "",
    *,
    at_most: float | None = None,
    gigabytes: float | None = None,
) -> Measure:
    """The row of a step, beside its bars in seconds and GB (of 1,024 MB)."""
    bars = [f"{at_most:g} s"] if at_most else []
    bars += [f"{gigabytes:g} GB"] if gigabytes else []
    slow = at_most is not None and spent.seconds > at_most
    large = gigabytes is not None and spent.peak_mb > gigabytes * 1024
    bar = ", ".join(bars)
    return Measure(
        step, size, spent.seconds, rate, bar, spent.peak_mb, slow or large, spent.cpu, spent.others
    )


def control() -> float:
    """Wall seconds of a fixed piece of NumPy work on one core; about half a second on a quiet one."""
    import numpy as np

    draw = np.random.default_rng(1)
    began = time.perf_counter()
    for _ in range(20):
        values = draw.random(500_000)
        np.cumsum(np.sort(values))
    return time.perf_counter() - began


def table(rows: Sequence[Measure]) -> Table:
    """The rows as one table."""
    shown = Table(box=box.SIMPLE)
    for header in ("step", "size", "seconds", "CPU s", "others", "peak MB"):
        shown.add_column(header, justify="left" if header in ("step", "size") else "right")
    for header in ("rate", "bar", ""):
        shown.add_column(header)
    for row in rows:
        verdict = ("[red]missed[/]" if row.missed else "[green]held[/]") if row.bar else ""
        shown.add_row(
            row.step,
            row.size,
            f"{row.seconds:,.1f}",
            f"{row.cpu:,.1f}" if row.cpu else "",
            f"{row.others:.1f}" if row.others >= OTHERS_SHOWN else "",
            f"{row.peak_mb:,.0f}" if row.peak_mb else "",
            row.rate,
            row.bar,
            verdict,
        )
    return shown


def console() -> Console:
    """As wide as the terminal; wide enough for the table where the output is none."""
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)


def show(rows: Sequence[Measure]) -> None:
    """Print the table."""
    console().print(table(rows))
