"""Writers killed under load lose nothing that they acknowledged, and a replay doubles nothing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ml.serving.events.today import Today
from tests.ml.serving.events.conftest import NOON, entered
from tests.ml.serving.events.writer import SIZE, batch

ROOT = Path(__file__).resolve().parents[4]
# Numbers of batches of one writer; the next one's begin above.
ROOM = 100_000


def begin_writer(folder: Path, place: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.ml.serving.events.writer"]
    arguments = [str(folder), str(place * ROOM), "3"]
    return subprocess.Popen([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def killed_after(writers: list[subprocess.Popen[str]], acknowledged: list[int]) -> list[int]:
    """Kill each writer in the midst of its work once it has said so many numbers; all said numbers."""
    said: list[int] = []
    for writer, least in zip(writers, acknowledged, strict=True):
        assert writer.stdout is not None
        said += [int(writer.stdout.readline()) for _ in range(least)]
        writer.kill()
        said += [int(line) for line in writer.communicate()[0].splitlines()]
        assert writer.returncode == -9
    return said


@pytest.mark.parametrize("seed", [1, 2])
def test_acknowledged_events_survive_the_kill_and_count_once(
    seed: int, folder: Path, begin, lake
) -> None:
    folder.parent.mkdir()
    least = np.random.default_rng(seed).integers(5, 60, 2).tolist()
    writers = [begin_writer(folder, place) for place in range(2)]
    said = killed_after(writers, least)
    assert len(said) >= sum(least)

    again = begin()
    sizes = {path: path.stat().st_size for path in folder.glob("day=*/*.jsonl")}
    for number in said:
        answer = again.append(batch(number), NOON)
        assert (answer.accepted, answer.already_known) == (0, SIZE)
    assert {path: path.stat().st_size for path in folder.glob("day=*/*.jsonl")} == sizes

    report = entered(folder, lake)
    ids = lake.read("listens")["listen_id"].to_pylist()
    assert len(ids) == len(set(ids)) == sum(file.received for file in report.files)
    promised = {
        f"l{place}" for number in said for place in range(SIZE * number, SIZE * number + SIZE)
    }
    assert promised <= set(ids)
    # Three threads of each writer may have been about one batch that was never acknowledged.
    assert len(ids) <= len(promised) + 2 * 3 * SIZE


def test_a_listener_s_day_is_whole_after_the_kill(folder: Path) -> None:
    folder.parent.mkdir()
    [writer] = [begin_writer(folder, 0)]
    said = killed_after([writer], [10])
    today = Today(folder)
    heard = {
        track
        for user in range(7)
        for track in today.listens(f"u{user}", NOON.replace(hour=13)).track_ids
    }
    assert {f"t{SIZE * number}" for number in said} <= heard
