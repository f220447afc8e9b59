"""Which model serves, as one small file that a service reads without opening the registry.

Belongs here: the file champion.json, and making a champion so that registry and file agree. Does not belong
here: deciding (ml.registry.gate).
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ml.files import replace_text

if TYPE_CHECKING:
    from ml.registry.models import ModelRegistry, Promotion


@dataclass(frozen=True, slots=True)
class Pointer:
    """The bundle that serves and since when (ISO instant)."""

    version: str
    since: str


def write_pointer(path: Path, version: str, since: str) -> None:
    """Replace the file: a reader sees the old or the new one, never half."""
    replace_text(path, json.dumps(asdict(Pointer(version, since))))


def read_pointer(path: Path) -> Pointer | None:
    """The model that serves; None before the first promotion, or where the file is gone or damaged."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return Pointer(str(stored["version"]), str(stored["since"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def heal_pointer(path: Path, registry: "ModelRegistry") -> Pointer | None:
    """The pointer as the registry has it, written again where the file is missing, damaged or behind.

    A kill between promotion and file leaves it behind; the registry is what counts.
    """
    version, found = registry.champion(), read_pointer(path)
    if version is None:
        path.unlink(missing_ok=True)
        return None
    since = [one.at for one in registry.history() if one.version == version][-1]
    if found != Pointer(version, since):
        write_pointer(path, version, since)
    return Pointer(version, since)


def make_champion(path: Path, registry: "ModelRegistry", promotion: "Promotion") -> Pointer | None:
    """Promote in the registry, then point the file at the model; returns the pointer.

    Raises:
        KeyError: the bundle is not registered.
    """
    registry.promote(
        promotion.version,
        promotion.reason,
        datetime.fromisoformat(promotion.at),
        against=promotion.against,
        by=promotion.by,
    )
    return heal_pointer(path, registry)
