"""`segue ui` on a home, and what a person clicks there: the same GraphQL calls that the pages make.

Belongs here: starting, asking, waiting. Does not belong here: what must come of it (the tests).
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg

from tests.orchestration.homes.conftest import LONGEST, REPOSITORY, SEGUE, instance_of

Found = TypeVar("Found")
# Seconds between two looks at a run: Dagster tells nobody when one ends.
LOOK = 0.25
ENDED = (
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
)

_REPOSITORY = (
    "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
)
_START = """mutation ($of: ScheduleSelector!) { startSchedule(scheduleSelector: $of) {
  __typename ... on PythonError { message } } }"""
_LAUNCH = """mutation ($of: ExecutionParams!) { launchPipelineExecution(executionParams: $of) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }"""
_BACKFILL = """mutation ($of: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $of) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""


def until(found: Callable[[], Found | None], what: str) -> Found:
    """What `found` finds, once it finds something."""
    deadline = time.monotonic() + LONGEST
    while (one := found()) is None:
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(LOOK)
    return one


@dataclass(frozen=True, slots=True)
class RunningUi:
    """A home under `segue ui`."""

    home: Path
    port: int
    instance: dg.DagsterInstance

    def ask(self, query: str, **variables: object) -> Any:
        """The answer's data."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = json.load(answer)
        assert "errors" not in said, said
        return said["data"]

    def repository(self) -> dict[str, str] | None:
        """How the selectors name the code; None while it is not loaded."""
        try:
            found = self.ask(_REPOSITORY)["repositoriesOrError"].get("nodes")
        except OSError:
            # Refused, or taken and closed while the server comes up.
            return None
        if not found:
            return None
        [one] = found
        return {"repositoryName": one["name"], "repositoryLocationName": one["location"]["name"]}

    def _named(self) -> dict[str, str]:
        return until(self.repository, "the code location")

    def start_schedule(self, name: str) -> None:
        """Turn a schedule on."""
        said = self.ask(_START, of={**self._named(), "scheduleName": name})
        assert said["startSchedule"]["__typename"] == "ScheduleStateResult", said

    def launch(self, job: str, day: str = "", config: object = None) -> str:
        """Put a run of a job into the queue, for a day or for none; its id."""
        tags = [{"key": "dagster/partition", "value": day}] if day else []
        params = {
            "selector": {**self._named(), "pipelineName": job},
            "runConfigData": config or {},
            "mode": "default",
            "executionMetadata": {"tags": tags},
        }
        said = self.ask(_LAUNCH, of=params)["launchPipelineExecution"]
        assert said["__typename"] == "LaunchRunSuccess", said
        return str(said["run"]["runId"])

    def backfill(self, assets: Sequence[dg.AssetKey], days: Sequence[str]) -> str:
        """Launch a backfill of assets over days; its id."""
        keys = [{"path": list(one.path)} for one in assets]
        params = {"assetSelection": keys, "partitionNames": list(days)}
        said = self.ask(_BACKFILL, of=params)["launchPartitionBackfill"]
        assert said["__typename"] == "LaunchBackfillSuccess", said
        return str(said["backfillId"])

    def ended(self, run_id: str) -> dg.DagsterRun:
        """The run, once it has ended."""

        def look() -> dg.DagsterRun | None:
            run = self.instance.get_run_by_id(run_id)
            return run if run is not None and run.status in ENDED else None

        return until(look, f"the end of {run_id}")

    def runs(self, job: str) -> list[dg.DagsterRun]:
        """Runs of a job, the earliest first."""
        return list(reversed(self.instance.get_runs(dg.RunsFilter(job_name=job))))


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def segue_ui(home: Path) -> Iterator[RunningUi]:
    """`segue ui` on the home, with its web server, daemon and code; all of it ends with the block."""
    port = free_port()
    process = _started(home, port)
    try:

        def running_and(true: Callable[[], bool]) -> Callable[[], bool | None]:
            def look() -> bool | None:
                assert process.poll() is None, (home / "ui.log").read_text()[-3000:]
                return true() or None

            return look

        until(running_and((home / "dagster" / "dagster.yaml").is_file), "Dagster's folder")
        with instance_of(home) as instance:
            ui = RunningUi(home, port, instance)
            until(running_and(lambda: ui.repository() is not None), "the web server")
            yield ui
    finally:
        _end(process)


def _started(home: Path, port: int) -> subprocess.Popen[bytes]:
    """The command at the head of a process group; its words go to the home's ui.log."""
    with (home / "ui.log").open("w") as log:
        # What `segue` starts shares its group, or has one of its own that `segue` ends.
        return subprocess.Popen(
            [sys.executable, *SEGUE, "ui", "--port", str(port)],
            cwd=REPOSITORY,
            env={
                "SEGUE_HOME": str(home),
                "SEGUE_REPORTS_PORT": str(free_port()),
                "PATH": "/usr/bin:/bin",
            },
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the group to end, and end what is left of it after a minute."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
