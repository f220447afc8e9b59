"""Files between Segue and the Python that has RecTools, and the running of that Python.

Belongs here: what the child reads, how it is started and what is said when it fails. Does not belong
here: the child itself (ml.benchmark.rectools_child) or what it is asked for (ml.benchmark.extras).
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml.benchmark.cases import BenchmarkError, Case
from ml.benchmark.interactions import Interactions, read_events

CHILD = Path(__file__).with_name("rectools_child.py")
INSTALL = "python3.11 -m venv .extras && .extras/bin/pip install -r ml/benchmark/extras.txt"
_EVENTS = pa.schema([("who", pa.string()), ("what", pa.string()), ("at", pa.timestamp("us"))])
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
# A child's last words tell what went wrong; Lightning's own come before.
_LAST_WORDS = 12


def check_python(python: Path) -> None:
    """See that a Python has what the extras need.

    Raises:
        BenchmarkError: it is not there, or something cannot be imported in it.
    """
    if not python.is_file():
        raise BenchmarkError(
            f"expected a Python with RecTools at {python}, found none; install it with `{INSTALL}` in the "
            "repository, or name another one with --extras-python"
        )
    _run(
        python, [], f"expected RecTools in {python}, found it wanting; install it with `{INSTALL}`"
    )


def ask(python: Path, folder: Path, job: Mapping[str, object]) -> tuple[pa.Table, dict[str, float]]:
    """Lists (`request_id`, `track_id`, `rank`) of a job on the files of `folder`, and what they cost.

    Raises:
        BenchmarkError: the child failed (its last words follow) or wrote nothing.
    """
    text = json.dumps(job)
    (folder / "job.json").write_text(text)
    costs = folder / "costs.json"
    costs.unlink(missing_ok=True)
    _run(
        python,
        [str(folder)],
        f"expected lists of RecTools in {folder}, found an error; asked: {text}",
    )
    if not costs.is_file():
        raise BenchmarkError(
            f"expected lists of RecTools in {folder}, but it wrote nothing; asked: {text}"
        )
    return pq.read_table(folder / "lists.parquet"), json.loads(costs.read_text())


def write_exchange(case: Case, data: Interactions, folder: Path, *, seed: int) -> None:
    """events.parquet, prefixes.parquet and asked.parquet as the child reads them.

    Plays of one listener at one time stand in a drawn order: that of their names would be something to
    learn. The requests are those of `data`; a session that is asked for is a listener of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    events = read_events(case)
    place = events["place"].to_numpy() * _SECOND
    at = (events["day"].to_numpy() * _DAY).round().astype(np.int64) + place
    drawn = np.random.default_rng(seed).permutation(len(at))
    who = events["who"].combine_chunks().dictionary_encode().indices.to_numpy()
    order = pa.array(np.lexsort((drawn, at, who)))
    columns = [events["who"], events["what"], pa.array(at).cast(pa.timestamp("us"))]
    pq.write_table(pa.table(columns, _EVENTS).take(order), folder / "events.parquet")
    requests = pq.read_table(case.requests)
    requests = requests.filter(pc.is_in(requests["request_id"], data.request_ids))
    sessions = case.surface == "now_playing"
    prefixes = _prefixes(requests) if sessions else _EVENTS.empty_table()
    pq.write_table(prefixes, folder / "prefixes.parquet")
    who_asks = requests["request_id" if sessions else "user_id"]
    asked = pa.table({"request_id": requests["request_id"], "who": who_asks})
    pq.write_table(asked, folder / "asked.parquet")


def _prefixes(requests: pa.Table) -> pa.Table:
    """What each session played before it was asked for, a second apart."""
    listed = requests["session_track_ids"].combine_chunks()
    owner = pc.list_parent_indices(listed)
    row = owner.to_numpy(zero_copy_only=False)
    first = np.searchsorted(row, row)
    at = pa.array((np.arange(len(row)) - first) * _SECOND).cast(pa.timestamp("us"))
    who = requests["request_id"].combine_chunks().take(owner)
    return pa.table([who, pc.list_flatten(listed), at], _EVENTS)


def _run(python: Path, arguments: Sequence[str], failed: str) -> None:
    """Run the child, isolated from this process's search path.

    Raises:
        BenchmarkError: `failed`, and the child's last words.
    """
    # Isolated: neither Segue's modules nor PYTHONPATH may stand before the other environment's.
    command = [str(python), "-I", str(CHILD), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        words = done.stderr.strip().splitlines()[-_LAST_WORDS:]
        # A process that is killed, for want of memory say, has no last words of its own.
        killed = [f"ended by signal {-done.returncode}"] if done.returncode < 0 else []
        raise BenchmarkError("\n".join([failed, *words, *killed]))
