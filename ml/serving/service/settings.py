"""What the service is told at its start.

Belongs here: paths, limits, the token. Does not belong here: the environment (orchestration.settings).
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Where the service reads and writes, and what it bears.

    The limits count in one worker process. `token` is the bearer token that every call but health needs,
    empty = open; `deadline_ms` milliseconds from arrival until an answer falls back; `capacity` answers
    under way, waiting ones too: at 5 ms each the last of eight still meets 50 ms; `rate` calls a second
    that one client address may make, 0 = any number; `body_bytes` and `body_seconds` bound a body;
    `watch_seconds` between two looks at champion and state; `replayed`: the home's data has ended, so it
    is always the day after its last one; `metrics` folder of the workers' shared metrics.
    """

    bundles: Path
    states: Path
    pointer: Path
    journal: Path
    token: str = ""
    deadline_ms: float = 50.0
    capacity: int = 8
    rate: float = 0.0
    body_bytes: int = 262_144
    body_seconds: float = 5.0
    watch_seconds: float = 1.0
    replayed: bool = False
    metrics: Path | None = None
