"""What was decided about which model serves, one JSON line each, never changed.

Belongs here: appending and reading records. Does not belong here: what a decision is
(ml.registry.decision) or who serves now (ml.registry.models).
"""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DECISION, PROMOTION, ROLLBACK = "decision", "promotion", "rollback"


def append_record(path: Path, record: Mapping[str, object]) -> None:
    """Add a line; `record` names its `kind` and its instant `at`.

    A line that a killed process left half-written is closed first, so that nothing is glued to it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(record, sort_keys=True, allow_nan=False) + "\n"
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        end, torn = file.seek(0, os.SEEK_END), b""
        if end:
            file.seek(end - 1)
            torn = b"" if file.read(1) == b"\n" else b"\n"
        file.write(torn + line.encode())
        file.flush()
        os.fsync(file.fileno())


def read_records(path: Path) -> list[dict[str, Any]]:
    """Every record, oldest first; a line cut short by a kill was never confirmed and is passed over."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line.endswith("}")]
