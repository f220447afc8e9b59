"""`segue ui` and `segue serve` on a finished home, for as long as pictures are taken.

Belongs here: starting, waiting until they answer, ending. Does not belong here: what is looked at.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ml.errors import SegueError

REPOSITORY = Path(__file__).resolve().parents[2]
SEGUE = (sys.executable, "-c", "from orchestration.cli.main import main; main()")
# Seconds after which a server that does not answer never will, and those between two looks.
_LONGEST, _LOOK = 180.0, 0.25
_LOADED = b'{"query": "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"}'


@dataclass(frozen=True, slots=True)
class Running:
    """Addresses without a slash at the end."""

    dagster: str
    reports: str
    room: str


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def loaded(dagster: str) -> bool:
    """Whether Dagster has the graph's code."""
    request = urllib.request.Request(
        f"{dagster}/graphql", _LOADED, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return b'"name"' in answer.read()


def ready(room: str) -> bool:
    """Whether the service would answer a request for a list."""
    with urllib.request.urlopen(f"{room}/ready", timeout=30) as answer:
        return bool(answer.status == 200)


def _answers(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except urllib.error.URLError:
        return False


@contextmanager
def started(home: Path, arguments: Sequence[str], look: Callable[[], bool]) -> Iterator[None]:
    """A `segue` command in a process group of its own until the block ends, once `look` finds it ready.

    Raises:
        SegueError: it ended, or never became ready; the last lines that it wrote follow.
    """
    log = home / "log" / f"pictures-{arguments[0]}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as file:
        process = subprocess.Popen(
            [*SEGUE, *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "SEGUE_HOME": str(home)},
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + _LONGEST
        while not _answers(look):
            if process.poll() is not None or time.monotonic() > deadline:
                said = "\n".join(log.read_text().splitlines()[-8:])
                raise SegueError(
                    f"expected `segue {arguments[0]}` to answer on {home}, found that it does not:\n{said}"
                )
            # Neither server tells anybody when it is ready.
            time.sleep(_LOOK)
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


@contextmanager
def running(home: Path) -> Iterator[Running]:
    """Dagster, the reports and the listening room of a home.

    Raises:
        SegueError: no home there, or a server does not come up.
    """
    if not (home / "artifacts" / "champion.json").is_file():
        raise SegueError(f"expected a finished home, found no model in {home}; run `segue demo`")
    dagster, room = free_port(), free_port()
    addresses = [f"http://127.0.0.1:{port}" for port in (dagster, room)]
    # The reports keep their port: the links in Dagster's metadata name it.
    reports = f"http://127.0.0.1:{os.environ.get('SEGUE_REPORTS_PORT', '3001')}"
    with ExitStack() as servers:
        for arguments, look in (
            (("ui", "--port", str(dagster)), lambda: loaded(addresses[0])),
            (("serve", "--port", str(room)), lambda: ready(addresses[1])),
        ):
            servers.enter_context(started(home, arguments, look))
        yield Running(addresses[0], reports, addresses[1])
