"""Events: batches of 100 into the journal, writers killed under load, a restart, the way into the lake.

    python -m tests.benchmarks.bench_events [--events 40000]

Belongs here: the clock around the journal, and counting what was acknowledged against what is there. Does
not belong here: HTTP before it (bench_serving); what fits (tests/ml/serving/events).

Two controls stand in the table: the same bytes written and brought to the disk without any checking,
and the fixed loop of measure.py before and after.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ml.lake.ingest import ingest
from ml.lake.store import Lake
from ml.serving.events.closing import close_days
from ml.serving.events.journal import Journal
from ml.serving.events.today import Today
from ml.sources.events import read_days
from tests.benchmarks.measure import (
    ROOT,
    Measure,
    Spent,
    busy_seconds,
    console,
    control,
    judged,
    own_peak,
    show,
)

BATCH = 100
BAR_EVENTS_A_SECOND = 2_000
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = date(2026, 3, 1)
# Batches that each of two writers has acknowledged when it is killed; their numbers begin apart.
KILLED_AFTER = (60, 95)
_APART = 1_000_000


def batch(number: int) -> list[dict[str, object]]:
    """Listens 100 n to 100 n + 99 as a client sends them; every tenth event is an impression."""
    places = range(BATCH * number, BATCH * number + BATCH)
    return [_impression(place) if place % 10 == 0 else _listen(place) for place in places]


def _listen(place: int) -> dict[str, object]:
    return {
        "kind": "listen",
        "listen_id": f"listen-{place:012d}",
        "user_id": f"user-{place * 7919 % 50_000:07d}",
        "track_id": f"track-{place * 104_729 % 100_000:07d}",
        "played_at": f"2026-03-01T{place // 3600 % 12:02d}:{place // 60 % 60:02d}:{place % 60:02d}Z",
        "ms_played": 9_000 if place % 5 == 0 else 200_000,
        "surface": "home",
        "request_id": f"request-{place // 10:010d}",
    }


def _impression(place: int) -> dict[str, object]:
    return {
        "kind": "impression",
        "request_id": f"request-{place:012d}",
        "position": 1,
        "user_id": f"user-{place * 7919 % 50_000:07d}",
        "surface": "home",
        "shown_at": "2026-03-01T11:00:00Z",
        "track_id": f"track-{place * 104_729 % 100_000:07d}",
        "score": place % 1000 / 1000,
        "propensity": 1.0,
        "model_version": "a1b2c3",
        "arm": "champion",
    }


def timed(work: Callable[[], object]) -> Spent:
    """Seconds of a piece of work in this process."""
    busy, began, cpu = busy_seconds(), time.perf_counter(), time.process_time()
    work()
    seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    busy_then = busy_seconds()
    others = 0.0
    if busy is not None and busy_then is not None:
        others = max(busy_then - busy - spent, 0.0) / seconds
    return Spent(seconds, spent, own_peak(), "", others)


def _rate(step: str, events: int, spent: Spent, *, bar: bool = False) -> Measure:
    at_most = events / BAR_EVENTS_A_SECOND if bar else None
    rate = f"{events / spent.seconds:,.0f} events/s"
    return judged(f"events: {step}", f"{events:,} events", spent, rate, at_most=at_most)


def bare(folder: Path, events: int) -> Measure:
    """Control: lines of the same length, a call to the disk for each 100."""
    lines = b"x" * (290 * BATCH)

    def work() -> None:
        with (folder / "bare").open("wb", buffering=0) as stream:
            for _ in range(events // BATCH):
                stream.write(lines)
                os.fdatasync(stream.fileno())

    return _rate("control, bare disk", events, timed(work))


def append(
    folder: Path, events: int, threads: int, batches: list[list[dict[str, object]]]
) -> Spent:
    """Batches one after the other from each of some threads that share a journal."""
    with closing(Journal(folder)) as journal:

        def send(first: int) -> None:
            for one in batches[first::threads]:
                answer = journal.append(one, AT)
                if answer.accepted + answer.already_known != BATCH:
                    raise SystemExit(f"expected all events taken, found {answer}")

        def work() -> None:
            senders = [threading.Thread(target=send, args=(first,)) for first in range(threads)]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()

        return timed(work)


def acknowledged(folder: Path) -> list[int]:
    """Numbers of the batches that two processes had taken when they were killed with SIGKILL."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_events", "--write", str(folder)]
    writers = [
        subprocess.Popen([*command, str(place * _APART)], cwd=ROOT, stdout=subprocess.PIPE)
        for place in range(len(KILLED_AFTER))
    ]
    said: list[int] = []
    for writer, least in zip(writers, KILLED_AFTER, strict=True):
        if writer.stdout is None:
            raise SystemExit("expected the writer's output, found none")
        said.extend(int(writer.stdout.readline()) for _ in range(least))
        writer.kill()
        said.extend(int(line) for line in writer.communicate()[0].splitlines())
    return said


def killed(folder: Path) -> Measure:
    """Two processes killed with SIGKILL under load: acknowledged against read, replayed against read."""
    folder.mkdir()
    said: list[int] = []
    spent = timed(lambda: said.extend(acknowledged(folder)))
    lake = Lake(folder / "lake")
    with closing(Journal(folder)) as journal:
        doubled = sum(journal.append(batch(number), AT).accepted for number in said)
    enter(folder, lake)
    listens = set(lake.read("listens")["listen_id"].to_pylist())
    shown = set(lake.read("impressions")["request_id"].to_pylist())
    promised = [row for number in said for row in batch(number)]
    lost = sum(
        row["listen_id"] not in listens
        if row["kind"] == "listen"
        else row["request_id"] not in shown
        for row in promised
    )
    return Measure(
        "events: two writers, SIGKILL",
        f"{len(promised):,} events",
        spent.seconds,
        f"{lost} lost, {doubled} doubled on replay",
        "none lost, none doubled",
        missed=bool(lost or doubled),
    )


def enter(folder: Path, lake: Lake) -> None:
    """Close the day and bring it into a lake."""
    close_days(folder, DAY + timedelta(days=1))
    ingest(lake, read_days(folder, [DAY]).files)


def rows(events: int = 40_000) -> list[Measure]:
    """Appending from one thread and from eight, a restart, a listener's day, the lake, the kill."""
    batches = [batch(number) for number in range(events // BATCH)]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        found = [bare(scratch, events)]
        one = append(scratch / "one", events, 1, batches)
        found.append(_rate("1 thread", events, one, bar=True))
        folder = scratch / "events"
        found.append(_rate("8 threads", events, append(folder, events, 8, batches), bar=True))
        found.append(_rate("a replay", events, append(folder, events, 1, batches)))
        found.append(_rate("a restart", events, timed(lambda: Journal(folder).close())))
        today = Today(folder)
        found.append(_rate("today, from nothing", events, timed(today.refresh)))
        thousand = timed(lambda: [_look(today, place) for place in range(1_000)])
        each = f"{thousand.seconds:.3f} ms each"
        found.append(judged("events: today, nothing new", "1,000 looks", thousand, each))
        found.append(_rate("into the lake", events, timed(lambda: enter(folder, Lake(scratch)))))
        found.append(killed(scratch / "killed"))
    return found


def _look(today: Today, place: int) -> None:
    today.refresh()
    today.listens(f"user-{place:07d}", AT + timedelta(hours=1))


def write(folder: Path, first: int) -> None:
    """Append batches until killed; say each one's number after it was acknowledged."""
    journal = Journal(folder)
    number = first
    while True:
        journal.append(batch(number), AT)
        os.write(1, f"{number}\n".encode())
        number += 1


def main() -> int:
    """Print the rows between two controls; 1 when a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--write", nargs=2, metavar=("FOLDER", "FIRST"), help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.write:
        write(Path(told.write[0]), int(told.write[1]))
    before = control()
    measured = rows(told.events)
    show(measured)
    console().print(
        f"Control, a fixed loop in NumPy: {before:.2f} s before, {control():.2f} s after."
    )
    return int(any(row.missed for row in measured))


if __name__ == "__main__":
    raise SystemExit(main())
