"""What was decided about which model serves, one JSON line each, never changed.

Belongs here: appending and reading records. Does not belong here: what a decision is
(ml.registry.decision) or who serves now (ml.registry.models).
"""

import fcntl
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.lines import append_line, whole_objects

if TYPE_CHECKING:
    from ml.registry.models import ModelRegistry

DECISION, PROMOTION, ROLLBACK = "decision", "promotion", "rollback"


def append_record(path: Path, record: Mapping[str, object]) -> None:
    """Add a line; `record` names its `kind` and its instant `at`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(record, sort_keys=True, allow_nan=False)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        append_line(file, line)


def read_records(path: Path) -> list[dict[str, Any]]:
    """Every record, oldest first; a line cut short by a kill was never confirmed and is passed over."""
    if not path.is_file():
        return []
    return whole_objects(path.read_bytes())


def heal_records(path: Path, registry: "ModelRegistry") -> None:
    """Record how the champion came to serve, unless a record of that version and instant stands there.

    A kill between promotion and record leaves it out; the registry is what counts.
    """
    served = registry.served()
    known = {(one.get("version"), one["at"]) for one in read_records(path)}
    if served and (served[-1].version, served[-1].at) not in known:
        kind = ROLLBACK if served[-1].is_rollback else PROMOTION
        append_record(path, {"kind": kind, **served[-1].to_dict()})
