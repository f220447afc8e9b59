"""Homes that were really lived in, made once a test session and copied by the tests that change them.

A process sees the partitions of one home only, so every run of these tests is a child process.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
WORLD = ("--listeners", "60", "--tracks", "300", "--days", "10", "--seed", "3")
# The world begins on 2025-03-03: this is the day after its history.
DAY = date(2025, 3, 13)
# A child that has not come to its point after this many seconds never will.
LONGEST = 300.0
SEGUE = ("-c", "from orchestration.cli.main import main; main()")


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start Python with `arguments` on a home."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env={"SEGUE_HOME": str(home), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def done(home: Path, *arguments: str) -> str:
    """Standard output of Python with `arguments` on a home, which must succeed."""
    process = start(home, *arguments)
    out, problems = process.communicate()
    assert process.returncode == 0, out[-2000:] + problems[-2000:]
    return out


def segue(home: Path, *arguments: str) -> str:
    """Output of a `segue` command that must succeed."""
    return done(home, *SEGUE, *arguments)


def killed_when(home: Path, reached: Callable[[], bool], *arguments: str) -> None:
    """Start a `segue` command, wait until `reached`, and kill it there."""
    process = start(home, *SEGUE, *arguments)
    deadline = time.monotonic() + LONGEST
    try:
        while not reached():
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline, "it never came this far"
            # No call waits for a file of another process.
            time.sleep(0.02)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -9


def child(home: Path, module: str, *arguments: str) -> Any:
    """What a module of this folder says on its last line, as JSON."""
    out = done(home, "-m", f"tests.orchestration.homes.{module}", *arguments)
    return json.loads(out.strip().splitlines()[-1])


@contextmanager
def instance_of(home: Path) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of a home."""
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        yield instance


def once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """The home `name`, built by whichever test process comes first."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    home, ready = root / name, root / f"{name}.ready"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            build(home)
            ready.touch()
    return home


@pytest.fixture(scope="session")
def bootstrapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated home with its history built and no model."""

    def build(home: Path) -> None:
        segue(home, "simulate", *WORLD)
        segue(home, "run", "bootstrap")

    return once(tmp_path_factory, "bootstrapped", build)


@pytest.fixture(scope="session")
def trained(bootstrapped: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same home with a champion."""

    def build(home: Path) -> None:
        shutil.copytree(bootstrapped, home)
        assert "not promoted" not in segue(home, "run", "train")

    return once(tmp_path_factory, "trained", build)


@pytest.fixture(scope="session")
def lived(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same home after one tick of the daily schedule; `tick.json` holds what the schedule said."""

    def build(home: Path) -> None:
        shutil.copytree(trained, home)
        (home / "tick.json").write_text(json.dumps(child(home, "tick")))

    return once(tmp_path_factory, "lived", build)
