"""The lived day: import of a million listens, batch recommendations a second, report time.

Run by `make bench`; reads the home of `make demo` for the batch, makes its own listens for the import.
"""

import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ml.lake.ingest import ingest
from ml.lake.store import Lake
from ml.serving.batch import recommend_day
from ml.serving.saved import load_recommender
from ml.sources.registry import read_source
from ml.state.publish import load_state, state_days, state_folder
from orchestration.settings import load_settings

ROWS = 1_000_000


def peak() -> float:
    """Peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def canonical_listens(folder: Path) -> None:
    """A million listens of 30 days as one Parquet file."""
    draw = np.random.default_rng(7)
    start = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1e6)
    played = np.sort(start + draw.integers(0, 30 * 86_400, ROWS) * 1_000_000)
    instants = pa.array(played, pa.timestamp("us", tz="UTC"))
    columns = {
        "listen_id": pa.array([f"l{i}" for i in range(ROWS)]),
        "user_id": pa.array([f"u{i}" for i in draw.integers(0, 10_000, ROWS)]),
        "track_id": pa.array([f"t{i}" for i in draw.integers(0, 50_000, ROWS)]),
        "played_at": instants,
        "ms_played": pa.array(draw.integers(1_000, 300_000, ROWS)),
        "surface": pa.array(["home"] * ROWS),
        "known_at": instants,
    }
    pq.write_table(pa.table(columns), folder / "listens.parquet")


def bench_import() -> None:
    """Seconds to bring a million rows into a lake."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "in"
        source.mkdir()
        canonical_listens(source)
        began = time.monotonic()
        report = ingest(Lake(Path(name) / "home"), read_source("canonical", source, {}).files)
        seconds = time.monotonic() - began
    accepted = sum(file.accepted for file in report.files)
    print(f"import: {accepted:,} rows in {seconds:.1f} s, peak {peak():.0f} MB")  # noqa: T201


def bench_batch() -> None:
    """Listeners answered a second by the newest bundle of the home."""
    settings = load_settings()
    bundles = sorted(settings.bundles.glob("*/manifest.json"))
    days = state_days(settings.states)
    if not bundles or not days:
        print("batch: skipped, there is no model in the home; run `make demo` first")  # noqa: T201
        return
    state = load_state(state_folder(settings.states, days[-1]))
    recommender = load_recommender(bundles[-1].parent, bundles[-1].parent.name, state)
    began = time.monotonic()
    lists, _ = recommend_day(recommender, 20, sampled_rows=5_000, seed=7)
    seconds = time.monotonic() - began
    listeners = len(lists["request_id"].unique())
    print(  # noqa: T201
        f"batch: {listeners:,} listeners in {seconds:.1f} s, {listeners / seconds:.0f} a second, "
        f"peak {peak():.0f} MB"
    )


if __name__ == "__main__":
    bench_import()
    bench_batch()
