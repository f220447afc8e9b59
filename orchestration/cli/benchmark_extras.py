"""`segue benchmark --extras`: RecTools' baselines beside the others, by a Python of their own.

Belongs here: which Python, and what they cost as a table. Does not belong here: what they are asked or how
(ml.benchmark.extras).
"""

from collections.abc import Sequence
from pathlib import Path

from ml.benchmark.cases import Case
from ml.benchmark.exchange import check_python
from ml.benchmark.extras import Answered, extra_lists, left_out
from orchestration.cli.commands import SEED
from orchestration.cli.console import console, show, working
from orchestration.settings import REPOSITORY

PYTHON = REPOSITORY / ".extras" / "bin" / "python"


def extras_python(wanted: bool, named: Path | None) -> Path | None:
    """The Python that runs the extras, seen to have what they need; None where they are not wanted.

    Raises:
        BenchmarkError: it is not there or lacks something.
    """
    if named is None and not wanted:
        return None
    # Not resolved: an environment's python is a link, and its own path says which environment.
    python = (named or PYTHON).absolute()
    check_python(python)
    return python


def answered_extras(case: Case, earlier: Case, k: int, python: Path | None) -> list[Answered]:
    """Each baseline of RecTools on the case, as chosen on `earlier`; none without a Python for them."""
    if python is None:
        return []
    with working(f"{case.name}: tuning and fitting RecTools' baselines"):
        return list(extra_lists(case, earlier, k, python=python, seed=SEED))


def show_extras(case: Case, answered: Sequence[Answered]) -> None:
    """What each of RecTools' baselines was chosen as and took; why others were left out."""
    if not answered:
        return
    header = ["model", "tuning", "fit", "peak memory", "ms a request", "chosen"]
    body = [
        [
            one.name,
            f"{one.costs.tuning_seconds:.0f} s",
            f"{one.costs.fit_seconds:.0f} s",
            f"{one.costs.megabytes:,.0f} MB",
            f"{1000 * one.costs.answer_seconds / max(1, one.requests):.2f}",
            ", ".join(f"{name} {value:g}" for name, value in one.configuration.items()),
        ]
        for one in answered
    ]
    show("RecTools, one thread", header, body)
    for name, reason in left_out(case).items():
        console.print(f"Left out: {name}: {reason}.")
