"""The service's processes under a bench, and the batch's.

    python -m tests.benchmarks.serving_process HOME

Belongs here: `segue serve` on a free port until the bench is done, its memory, its metrics; two thousand
listeners in batch (the command above). Does not belong here: load (serving_load).
"""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.measure import ROOT

_PATIENCE = 120.0
_LISTENERS = 2_000
_STAGE = re.compile(r'segue_stage_seconds_(sum|count)\{stage="(\w+)",surface="(\w+)"\} (\S+)')
_PORT = re.compile(r"http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True)
class Served:
    """A running service: its first process, its port, seconds until every worker was ready."""

    pid: int
    port: int
    ready_after: float

    def cpu(self) -> float:
        """Processor seconds of its processes so far."""
        return sum(_cpu(pid) for pid in (self.pid, *_children(self.pid)))

    def memory(self) -> tuple[float, float]:
        """(proportional, resident) MB of its processes: pages that workers share count once, or each."""
        found = [_rollup(pid) for pid in (self.pid, *_children(self.pid))]
        return sum(one[0] for one in found), sum(one[1] for one in found)

    def own(self) -> float:
        """MB of its processes that no file stands behind: what grows when something is kept for ever."""
        return sum(_rollup(pid)[2] for pid in (self.pid, *_children(self.pid)))


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(word) for word in path.read_text().split()] if path.is_file() else []
    return found + [below for one in found for below in _children(one)]


def _cpu(pid: int) -> float:
    path = Path(f"/proc/{pid}/stat")
    if not path.is_file():
        return 0.0
    # User and system ticks are the 12th and 13th word behind the name in brackets.
    words = path.read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _rollup(pid: int) -> tuple[float, float, float]:
    path = Path(f"/proc/{pid}/smaps_rollup")
    text = path.read_text() if path.is_file() else ""
    sizes = dict(re.findall(r"^(Pss|Rss|Anonymous):\s+(\d+) kB", text, re.MULTILINE))
    pss, rss, own = (int(sizes.get(name, 0)) / 1024 for name in ("Pss", "Rss", "Anonymous"))
    return pss, rss, own


def _get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def scraped(port: int) -> dict[tuple[str, str], tuple[float, float]]:
    """(surface, stage) -> (seconds, answers) so far, of all workers, from /metrics."""
    sums: dict[tuple[str, str], dict[str, float]] = {}
    for kind, stage, surface, value in _STAGE.findall(_get(port, "/metrics")[1]):
        sums.setdefault((surface, stage), {})[kind] = float(value)
    return {key: (one["sum"], one["count"]) for key, one in sums.items()}


def _ready(process: "subprocess.Popen[bytes]", log: Path, workers: int) -> int:
    """The port, once every worker has a model."""
    until = time.perf_counter() + _PATIENCE
    while time.perf_counter() < until:
        if process.poll() is not None:
            break
        if (port := _PORT.search(log.read_text(errors="replace"))) is not None:
            number = int(port.group(1))
            page = _metrics(number)
            if re.search(rf"^segue_swaps_total {workers}\.0$", page, re.MULTILINE):
                return number
        # No call waits for a page of another process.
        time.sleep(0.05)
    raise SystemExit(
        f"expected a service within {_PATIENCE:g} s, found:\n{log.read_text(errors='replace')}"
    )


def _metrics(port: int) -> str:
    try:
        return _get(port, "/metrics")[1]
    except (OSError, http.client.HTTPException):
        return ""


@contextmanager
def serving(home: Path, log: Path, workers: int = 2) -> Iterator[Served]:
    """`segue serve` on `home`, ended with the context."""
    command = [Path(sys.executable).with_name("segue"), "serve", "--port", "0"]
    began = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            env={**os.environ, "SEGUE_HOME": str(home), "COLUMNS": "300"},
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        port = _ready(process, log, workers)
        yield Served(process.pid, port, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def batch(home: Path) -> dict[str, float]:
    """Home lists of two thousand listeners by the champion, after a first block."""
    from ml.registry.pointer import read_pointer
    from ml.serving.batch import recommend_day
    from ml.serving.saved import load_recommender
    from ml.state.publish import load_state, state_days, state_folder
    from orchestration.settings import Settings

    settings = Settings(home)
    pointer = read_pointer(settings.champion_pointer)
    if pointer is None:
        raise SystemExit(f"expected a champion in {home}, found none")
    state = load_state(state_folder(settings.states, state_days(settings.states)[-1]))
    recommender = load_recommender(settings.bundles / pointer.version, pointer.version, state)
    recommend_day(recommender, 20, sampled_rows=10, seed=7, listeners=50)
    began = time.perf_counter()
    lists, _ = recommend_day(recommender, 20, sampled_rows=10, seed=7, listeners=_LISTENERS)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "listeners": len(set(lists["user_id"].to_pylist()))}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(batch(Path(sys.argv[1]))) + "\n")
