"""What a simulated world is made of, and what can go wrong in it.

Belongs here: sizes, rates and incident names. Does not belong here: anything random.
"""

from dataclasses import dataclass
from datetime import date

from ml.errors import SegueError

INCIDENTS = (
    "taste_shift",
    "catalogue_drop",
    "unit_bug",
    "missing_surface",
    "bot_traffic",
    "late_data",
)


class SimulationError(SegueError):
    """A world that cannot be simulated as asked."""


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """A world's sizes and habits; the same values make the same world.

    `forgetting` is the exponent of the power law of memory; `satiation` how many plays in a day a track
    bears, the more the higher; `position_bias` the exponent by which a lower place of a list is taken
    less; `late_share` the share of listens that arrive a day late on an ordinary day.
    """

    seed: int
    first_day: date
    listeners: int = 2_000
    tracks: int = 8_000
    active_share: float = 0.62
    sessions_a_day: float = 1.0
    tracks_a_session: float = 7.5
    forgetting: float = 0.8
    satiation: float = 3.0
    position_bias: float = 0.7
    late_share: float = 0.004
    new_release_share: float = 0.0015

    def __post_init__(self) -> None:
        if self.listeners < 10 or self.tracks < 100:
            raise SimulationError(
                f"expected at least 10 listeners and 100 tracks, found {self.listeners} and "
                f"{self.tracks}; run `segue simulate --listeners 2000 --tracks 8000`"
            )


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that goes wrong from a day on."""

    name: str
    from_day: date

    def __post_init__(self) -> None:
        if self.name not in INCIDENTS:
            raise SimulationError(
                f"expected an incident out of {', '.join(INCIDENTS)}, found {self.name!r}; "
                "run `segue simulate --incident unit_bug`"
            )
