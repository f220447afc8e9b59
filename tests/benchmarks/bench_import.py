"""Import: a million listens in one Parquet file through `segue import`.

    python -m tests.benchmarks.run --only import

Belongs here: the command as a user runs it, start of Python included. Does not belong here: what a reader
accepts (tests/ml/sources).
"""

import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measure import Measure, judged, run_child

BAR_SECONDS, BAR_GIGABYTES = 10.0, 1.5


def rows(listens: int = 1_000_000, days: int = 30) -> list[Measure]:
    """One row: the import into an empty home."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        size = ("--listens", str(listens), "--days", str(days))
        inputs = ("-m", "tests.benchmarks.inputs", "listens", scratch / "in", *size)
        run_child([sys.executable, *inputs], scratch / "inputs.log")
        segue = Path(sys.executable).with_name("segue")
        spent = run_child(
            [segue, "import", "canonical", scratch / "in"],
            scratch / "import.log",
            {"SEGUE_HOME": str(scratch / "home")},
        )
    if f"{listens:,}" not in spent.printed:
        raise SystemExit(f"expected {listens:,} rows accepted, found:\n{spent.printed}")
    return [
        judged(
            "import",
            f"{listens:,} rows",
            spent,
            f"{listens / spent.seconds:,.0f} rows/s",
            at_most=BAR_SECONDS,
            gigabytes=BAR_GIGABYTES,
        )
    ]
