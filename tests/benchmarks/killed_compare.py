"""Whether two homes hold the same: rows, artefacts, champion, decisions, reports.

Belongs here: what is looked at and when it counts as equal. Does not belong here: how homes came about
(killed_steps.py). Left out is what names an instant, a run or a random id: Dagster's and MLflow's own
tables, logs, dbt's compiled SQL. Hidden files are what kills leave of a write aside; no reader takes one.
"""

import hashlib
import json
import pickle
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from ml.registry.models import ModelRegistry
from ml.registry.pointer import read_pointer
from ml.registry.records import read_records
from orchestration.settings import Settings

TOLERANCE = 1e-9
# Folders of a home, and of a home within it, whose files are compared one by one.
KEPT = ("lake", "quarantine", "artifacts", "reports", "home.json")
# Hashes must agree; elsewhere files of tables may differ in the last bits of a float.
BY_HASH = ("lake/", "quarantine/", "artifacts/bundles/", "artifacts/state/", "/encoder/")
# Instants and run ids: compared without them, below.
_TOLD_APART = ("artifacts/champion.json", "artifacts/decisions.jsonl")
# Evidently gives its drawings ids of their own at every run.
_RANDOM = re.compile(rb"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
# Characters of what differs.
_SHOWN = 200
_INSTANTS = frozenset({"at", "since", "run_id", "decided_at"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What a home holds. `files`: sha256 by path; `tables`: content by path or `schema.table`, rows sorted by
    every column that is no float; `told`: the rest by name, as JSON."""

    files: Mapping[str, str]
    tables: Mapping[str, pa.Table]
    told: Mapping[str, Any]


def facts(home: Path) -> Facts:
    """Read a home, and the home `imported` within it where there is one."""
    files: dict[str, str] = {}
    tables: dict[str, pa.Table] = {}
    for path in sorted(home.rglob("*")):
        name = str(path.relative_to(home))
        parts = Path(name).parts
        top = parts[1] if parts[0] == "imported" and len(parts) > 1 else parts[0]
        if not path.is_file() or top not in KEPT or name in _TOLD_APART or _hidden(name):
            continue
        content = path.read_bytes()
        if path.suffix == ".html":
            content = _RANDOM.sub(b"", content)
        files[name] = hashlib.sha256(content).hexdigest()
        if path.suffix in (".parquet", ".arrow") and not _by_hash(name):
            tables[name] = _sorted(_read(path))
    return Facts(files, tables | _warehouse(Settings(home).warehouse), _told(Settings(home)))


def leftovers(home: Path) -> list[str]:
    """Hidden files and folders in the compared folders: what was written aside and never renamed."""
    found = (path for top in KEPT for path in (home / top).rglob(".*"))
    return sorted(str(path.relative_to(home)) for path in found)


def differences(ours: Facts, theirs: Facts) -> list[str]:
    """What differs, a line each; empty where the homes hold the same."""
    lines = [f"{name}: {word}" for name, word in _sets(ours.files, theirs.files)]
    lines += [f"{name}: {word}" for name, word in _sets(ours.tables, theirs.tables)]
    for name in sorted(ours.files.keys() & theirs.files.keys()):
        if ours.files[name] != theirs.files[name] and name not in ours.tables:
            lines.append(f"{name}: another content")
    for name in sorted(ours.tables.keys() & theirs.tables.keys()):
        if why := _differ(ours.tables[name], theirs.tables[name]):
            lines.append(f"{name}: {why}")
    for name in sorted(ours.told.keys() | theirs.told.keys()):
        if ours.told.get(name) != theirs.told.get(name):
            lines.append(f"{name}: {_odd(ours.told, theirs.told, name)}")
    return lines


def _odd(ours: Mapping[str, Any], theirs: Mapping[str, Any], name: str) -> str:
    """Both sides, of two lists only what one of them lacks, cut to a line."""
    left, right = ours.get(name), theirs.get(name)
    if isinstance(left, list) and isinstance(right, list):
        apart = [one for one in left if left.count(one) > right.count(one)]
        left, right = apart, [one for one in right if right.count(one) > left.count(one)]
    return f"{str(left)[:_SHOWN]} instead of {str(right)[:_SHOWN]}"


def _sets(ours: Mapping[str, object], theirs: Mapping[str, object]) -> list[tuple[str, str]]:
    missing = [(name, "missing") for name in sorted(theirs.keys() - ours.keys())]
    return missing + [(name, "extra") for name in sorted(ours.keys() - theirs.keys())]


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in Path(name).parts)


def _by_hash(name: str) -> bool:
    return any(part in f"/{name}" for part in BY_HASH)


def _read(path: Path) -> pa.Table:
    if path.suffix == ".arrow":
        return feather.read_table(path, memory_map=False)
    return pq.read_table(path, partitioning=None)


def _warehouse(path: Path) -> dict[str, pa.Table]:
    import duckdb

    if not path.exists():
        return {}
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_type = 'BASE TABLE'"
        ).fetchall()
        return {
            name: _sorted(connection.execute(f"select * from {name}").to_arrow_table())
            for (name,) in names
        }


def _sorted(table: pa.Table) -> pa.Table:
    """Without instants; by every column that can be sorted, floats last: they may differ a little."""
    kept = table.drop([name for name in table.column_names if name in _INSTANTS])
    kinds = {field.name: field.type for field in kept.schema}
    plain = [n for n, kind in kinds.items() if not pa.types.is_nested(kind) and not _float(kind)]
    floats = [name for name, kind in kinds.items() if _float(kind)]
    keys = [(name, "ascending") for name in (*plain, *floats)]
    return kept.sort_by(keys) if keys else kept


def _float(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind))


def _differ(ours: pa.Table, theirs: pa.Table) -> str:
    if ours.schema.names != theirs.schema.names:
        return f"columns {ours.schema.names} instead of {theirs.schema.names}"
    if len(ours) != len(theirs):
        return f"{len(ours)} rows instead of {len(theirs)}"
    for field in theirs.schema:
        left, right = ours[field.name], theirs[field.name]
        if _float(field.type):
            pair = [one.to_numpy(zero_copy_only=False).astype(np.float64) for one in (left, right)]
            same = np.allclose(*pair, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        else:
            same = left.equals(right)
        if not same:
            return f"other values of {field.name}"
    return ""


def _told(settings: Settings) -> dict[str, Any]:
    pointer = read_pointer(settings.champion_pointer)
    records = [
        {name: value for name, value in one.items() if name not in _INSTANTS}
        for one in read_records(settings.decisions)
    ]
    told: dict[str, Any] = {
        "champion.json": pointer and pointer.version,
        "decisions": [json.dumps(one, sort_keys=True) for one in records],
    }
    if (settings.home / "mlflow" / "mlflow.db").exists():
        told |= _registered(settings)
    return told


def _registered(settings: Settings) -> dict[str, Any]:
    uri = f"sqlite:///{settings.home / 'mlflow' / 'mlflow.db'}"
    registry = ModelRegistry(uri, settings.mlflow_artifacts)
    history = [{**asdict(one), "at": ""} for one in registry.history()]
    from mlflow import MlflowClient

    runs = MlflowClient(uri).search_runs(["1"])
    logged = [
        (run.info.status, run.data.tags.get("bundle"), run.data.params, run.data.metrics)
        for run in runs
    ]
    return {"champion": registry.champion(), "promotions": history, "MLflow runs": logged}


def keep(found: Facts, path: Path) -> None:
    """Store facts for a later comparison by another process."""
    path.write_bytes(pickle.dumps(found))


def kept(path: Path) -> Facts:
    """Facts that `keep` stored."""
    found: Facts = pickle.loads(path.read_bytes())
    return found
