"""What is measured on a day's listens, in which unit, and from which size it can matter.

Belongs here: the table of measures with their floors. Does not belong here: how a measure is
computed (profile) or calibrated (thresholds). A floor is the size below which no change matters,
however regular the reference days are.
"""

from dataclasses import dataclass
from enum import StrEnum


class Comparison(StrEnum):
    """How a number is set against its usual value."""

    RATIO = "ratio"  # |ln(value / usual)|: counts and lengths, which scale
    DIFFERENCE = "difference"  # |value - usual|: shares, which add
    RISE = "rise"  # value - usual: shares of which less is never a fault
    DROP = "drop"  # usual - value: cosines of which more is never a fault
    FALL = "fall"  # (usual - value) / usual: qualities of which more is never a fault


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of the profile: `title` reads in a sentence, `unit` is "", "%" or "ms".

    `ease` is added to both sides of a ratio, so that nothing against nothing is no change.
    """

    name: str
    comparison: Comparison
    floor: float
    title: str
    unit: str = ""
    ease: float = 1.0


# ln(1.3) = 0.26: counts may differ by 30 % before anybody is told; act from 70 %.
_COUNT, _HEAVY = 0.26, 0.7

MEASURES = (
    Measure("listens", Comparison.RATIO, _COUNT, "listens"),
    Measure("listeners", Comparison.RATIO, _COUNT, "listeners"),
    Measure("sessions", Comparison.RATIO, _COUNT, "sessions"),
    Measure("tracks_played", Comparison.RATIO, _COUNT, "distinct tracks played"),
    Measure("ms_played_p10", Comparison.RATIO, _HEAVY, "ms_played, 10th percentile", "ms"),
    Measure("ms_played_p50", Comparison.RATIO, _COUNT, "ms_played, median", "ms"),
    Measure("ms_played_p90", Comparison.RATIO, _COUNT, "ms_played, 90th percentile", "ms"),
    Measure("ms_played_null_share", Comparison.DIFFERENCE, 0.02, "ms_played not known", "%"),
    Measure("skip_share", Comparison.DIFFERENCE, 0.10, "ms_played under 30 s (skips)", "%"),
    Measure("plays_per_listener_p99", Comparison.RATIO, 0.4, "plays per listener, 99th percentile"),
    Measure("plays_per_listener_max", Comparison.RATIO, _HEAVY, "plays of the busiest listener"),
    Measure("busiest_listeners_share", Comparison.RISE, 0.02, "the ten busiest listeners", "%"),
    Measure(
        "round_the_clock_share", Comparison.RISE, 0.01, "listeners active in 18 hours or more", "%"
    ),
    Measure("late_share", Comparison.RISE, 0.03, "listens known a day late or later", "%"),
    Measure("late_hours_p95", Comparison.RATIO, 1.0, "delay in hours, 95th percentile"),
    Measure("duplicate_share", Comparison.RISE, 0.005, "listener, track and second repeated", "%"),
    Measure("no_artist_share", Comparison.RISE, 0.02, "artist_id not known", "%"),
    # The first lists of a home raise this from nothing: only its fall is a fault.
    Measure("requested_share", Comparison.DROP, 0.10, "request_id given", "%"),
    Measure("first_listen_share", Comparison.DIFFERENCE, 0.08, "first listens of a track", "%"),
    Measure("silent_head_share", Comparison.RISE, 0.05, "usual top tracks never played", "%"),
)


@dataclass(frozen=True, slots=True)
class Distribution:
    """A set of shares of the profile, compared by JS distance. `vanishes` names what is missing
    when a usual value does not appear at all (None = a value may come and go)."""

    name: str
    floor: float
    title: str
    vanishes: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A point of the profile: its distance from the usual point in multiples of `width`, the usual
    spread of what the point is the centre of."""

    name: str
    floor: float
    title: str
    width: float


@dataclass(frozen=True, slots=True)
class Panel:
    """All that is measured in an area that compares a day's profile with those of quiet days."""

    area: str
    measures: tuple[Measure, ...]
    distributions: tuple[Distribution, ...] = ()
    positions: tuple[Position, ...] = ()

    @property
    def everything(self) -> tuple["Measure | Distribution | Position", ...]:
        """All of them in order."""
        return (*self.measures, *self.distributions, *self.positions)


DISTRIBUTIONS = (
    Distribution("surface", 0.10, "surface", vanishes="surface"),
    Distribution("hour", 0.10, "hour of the day"),
    Distribution("ms_played", 0.10, "length of a listen"),
)

DATA_QUALITY = Panel("data_quality", MEASURES, DISTRIBUTIONS)

# Faults of the data that no quiet day shows: they ask for a decision on their first day. The median
# length is not among them, because listeners who skip more shorten it.
BREAKS = frozenset(
    {
        "listens",
        "ms_played_p90",
        "ms_played_null_share",
        "busiest_listeners_share",
        "round_the_clock_share",
        "late_share",
        "duplicate_share",
        "no_artist_share",
        "requested_share",
        "silent_head_share",
    }
)

# A value with this usual share that is gone for a whole day is a fault, not a fluctuation. Gone is
# less than a twentieth: late listens of the day before still carry it.
VANISHING_SHARE = 0.02
GONE = 0.05
