"""dbt inside this process: one parsed project, one invocation a range of days.

Belongs here: parsing, running and what came of it. Does not belong here: assets (orchestration.defs.dbt).

A dbt process of its own costs 3 to 5 s of imports and parsing a run (changed --vars force a full parse);
here the project is parsed once a process and a day takes the time of its queries.
"""

import fcntl
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.errors import SegueError
from ml.files import replace_text
from orchestration.settings import DBT_PROJECT, Settings, prepare_process

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# The feature models refuse a longer range (dbt_project.yml: longest_range).
LONGEST_RANGE = 500
_PREPARED = DBT_PROJECT / "target" / "prepared"
# Digest and manifest in one file, renamed into place: what any process may read at any time.
_SHARED = _PREPARED / "shared.json"


class DbtError(SegueError):
    """dbt could not build what was asked."""


@dataclass(frozen=True, slots=True)
class NodeResult:
    """One model or test of a run. `status` is dbt's word; `compiled` is the SQL that ran."""

    unique_id: str
    status: str
    message: str
    failures: int
    seconds: float
    compiled: str

    @property
    def ok(self) -> bool:
        """Built, passed, or failed with severity warn."""
        return self.status in ("success", "pass", "warn")


def project_digest() -> str:
    """Hash of every file that dbt reads."""
    total = hashlib.sha256()
    for path in sorted(DBT_PROJECT.rglob("*")):
        inside = path.relative_to(DBT_PROJECT).parts[0] not in ("target", "logs")
        if inside and path.suffix in (".sql", ".yml"):
            total.update(str(path.relative_to(DBT_PROJECT)).encode() + path.read_bytes())
    return total.hexdigest()[:16]


def read_manifest() -> dict[str, Any]:
    """The manifest of the project as it stands; it is parsed first when a file of it changed."""
    digest = project_digest()
    prepared = _read_prepared()
    if prepared is None or prepared["digest"] != digest:
        parsed_project()
        prepared = json.loads(_SHARED.read_text())
    manifest: dict[str, Any] = prepared["manifest"]
    return manifest


def _read_prepared() -> dict[str, Any] | None:
    return json.loads(_SHARED.read_text()) if _SHARED.is_file() else None


@cache
def parsed_project() -> "Manifest":
    """The parsed project, once a process; processes that start together parse one after the other, since
    dbt writes its files in place.

    Raises:
        DbtError: the project does not parse.
    """
    from dbt.cli.main import dbtRunner

    digest = project_digest()
    _PREPARED.mkdir(parents=True, exist_ok=True)
    with (_PREPARED / "parsing").open("w") as parsing:
        fcntl.flock(parsing, fcntl.LOCK_EX)
        result = dbtRunner().invoke(["parse", *_places(_PREPARED)])
        if not result.success:
            raise DbtError(
                f"expected the dbt project to parse, found: {result.exception}; "
                "run `.venv/bin/dbt parse --project-dir dbt_project --profiles-dir dbt_project`"
            )
        written = json.loads((_PREPARED / "manifest.json").read_text())
    replace_text(_SHARED, json.dumps({"digest": digest, "manifest": written}))
    manifest: Manifest = result.result
    return manifest


def _places(target: Path) -> list[str]:
    return [
        *("--quiet", "--log-level-file", "none", "--no-use-colors"),
        *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
        *("--target-path", str(target), "--log-path", str(target)),
    ]


def dbt_arguments(settings: Settings, start: date, end: date, models: Sequence[str]) -> list[str]:
    """Arguments that build [start, end); no `models` = all of them."""
    variables = {
        "start_day": start.isoformat(),
        "end_day": end.isoformat(),
        "lake": str(settings.lake),
        "artifacts": str(settings.artifacts),
    }
    chosen = ["--select", *models, "--indirect-selection", "cautious"] if models else []
    return [
        "build",
        *_places(settings.dbt_target),
        # A unit test of a model that is not built yet fails and skips the model.
        *("--exclude-resource-type", "unit_test"),
        *("--vars", json.dumps(variables)),
        *chosen,
    ]


def build(
    settings: Settings, start: date, end: date, models: Sequence[str] = ()
) -> tuple[NodeResult, ...]:
    """Build the days [start, end) and return every model's and test's result.

    Raises:
        DbtError: dbt did not get as far as running.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    prepare_process(settings)
    runner = dbtRunner(manifest=parsed_project().deepcopy())
    try:
        result = runner.invoke(dbt_arguments(settings, start, end, models))
    finally:
        # dbt keeps its connection, and DuckDB refuses another configuration beside it.
        DuckDBConnectionManager.close_all_connections()
    if result.exception is not None:
        raise DbtError(f"dbt did not run: {result.exception}; run `segue doctor`")
    return tuple(_result(found) for found in result.result.results)


def _result(found: Any) -> NodeResult:  # noqa: ANN401 - dbt's own result, untyped
    return NodeResult(
        found.node.unique_id,
        str(found.status.value),
        str(found.message or ""),
        int(found.failures or 0),
        float(found.execution_time),
        str(getattr(found.node, "compiled_code", None) or ""),
    )


def problems(results: Sequence[NodeResult]) -> str:
    """What went wrong, worst first, without the skipped nodes that followed from it."""
    bad = [one for one in results if not one.ok and one.status != "skipped"]
    return "\n".join(f"{one.unique_id}: {one.message}" for one in bad)


def ranges(
    start: date, end: date, built: Mapping[str, date], longest: int = LONGEST_RANGE
) -> list[tuple[date, date]]:
    """[start, end) in parts that one dbt run may build, oldest first.

    `built` tells the day before which each relation is built. A range of several parts over built days
    goes on where they end: a history that was killed half-way is not begun anew.

    Raises:
        DbtError: the range ends before the latest built day: the days after it would be dropped and not
            built again.
    """
    latest = max(built.values(), default=start)
    if end < latest:
        raise DbtError(
            f"expected a range that ends at the latest built day, found days built up to {latest} "
            f"(excluded) and [{start}, {end}) asked for; nothing was deleted: launch the partitions "
            f"from {start} through the last one before {latest}"
        )
    if (end - start).days > longest:
        start = min(max(start, min(built.values(), default=start)), end - timedelta(days=1))
    return [
        (start + timedelta(days=first), min(start + timedelta(days=first + longest), end))
        for first in range(0, (end - start).days, longest)
    ]


def bridged(start: date, built: Mapping[str, date], data_days: Sequence[date]) -> date:
    """`start`, or the end of what is built when no day between the two holds data.

    A replayed history has silent days: building them with the next day leaves no hole. A day with
    data that was passed over stays a hole, which the models refuse.
    """
    latest = min(built.values(), default=start)
    silent = not any(latest <= day < start for day in data_days)
    return latest if latest < start and silent else start
