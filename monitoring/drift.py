"""Distances to one fixed reference: judged against their floor and against the quiet days before.

Belongs here: what feature and score drift share. Does not belong here: the effects themselves (effects)
or their names (one module per area).

A reference from training time is never quite like a later day, and that constant distance is no news:
the same distance on earlier quiet days under the same model, weekday against weekday, lifts a floor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from monitoring.areas import Statistic
from monitoring.profile import Profile
from monitoring.thresholds import (
    ACT_FACTOR,
    FEWEST_DAYS,
    SIGMAS,
    TWO_WEEKS,
    Limits,
    Threshold,
    comparable,
    deviations,
    limits_of,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Distance:
    """An effect size `value` with the floor it must pass, told by `words` and the figures behind it;
    `of` names the column, `act_factor` the multiple of the threshold that asks for a decision."""

    name: str
    value: float
    floor: float
    words: str
    observed: float
    usual: float
    of: str = ""
    act_factor: float = ACT_FACTOR


def judged(
    distances: Sequence[Distance], history: Sequence[Profile], area: str, day: date
) -> tuple[Statistic, ...]:
    """Statistics of an area's distances on a day, in order.

    `history` are the area's numbers on earlier quiet days under the same model, with
    `<name>.effect`. A measure's scale is its usual distance on this weekday plus four robust deviations,
    at least its floor; under three days the floors stand alone. From two weeks on the limits come from
    the largest statistic of each of these days.
    """
    floors = np.array([one.floor for one in distances], dtype=np.float64)
    quiet = Quiet.of([one.name for one in distances], history, day)
    scales = quiet.scales(floors, day.weekday())
    limits = limits_of(quiet.largest(floors)) if len(quiet.weekdays) >= TWO_WEEKS else Limits()
    return tuple(
        _statistic(one, float(scale), limits, area)
        for one, scale in zip(distances, scales, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Quiet:
    """Distances of earlier quiet days: `sizes` float64 (days, measures), 0 in the columns where `known`
    bool (measures) is false; `weekdays` of the days; `deviations` float64 (measures) of the sizes about
    the usual of their weekday, robust."""

    sizes: Floats
    weekdays: tuple[int, ...]
    known: NDArray[np.bool_]
    deviations: Floats

    @classmethod
    def of(cls, names: Sequence[str], history: Sequence[Profile], day: date) -> "Quiet":
        """The days before that hold every measure which at least three of them hold."""
        earlier = [one for one in history if one.day != day]
        held = [[f"{name}.effect" in one.numbers for name in names] for one in earlier]
        known = np.array(held, dtype=np.bool_).reshape(-1, len(names)).sum(axis=0) >= FEWEST_DAYS
        wanted = [f"{name}.effect" for name, one in zip(names, known, strict=True) if one]
        days = [one for one in earlier if wanted and all(name in one.numbers for name in wanted)]
        sizes = np.zeros((len(days), len(names)), dtype=np.float64)
        if days:
            sizes[:, known] = [[one.numbers[name] for name in wanted] for one in days]
        weekdays = tuple(one.day.weekday() for one in days)
        usual = [np.median(sizes[comparable(weekdays, one)], axis=0) for one in weekdays]
        apart = sizes - np.array(usual).reshape(sizes.shape)
        return cls(sizes, weekdays, known, deviations(apart) if days else np.zeros(len(names)))

    def scales(self, floors: Floats, weekday: int, without: int | None = None) -> Floats:
        """float64 (measures): the usual distance on a weekday plus four robust deviations of all days
        about the usual of theirs, never below the floor; `without` leaves a day out of what is usual."""
        if len(self.weekdays) < FEWEST_DAYS:
            return floors
        rest = [place for place in range(len(self.weekdays)) if place != without]
        kept = comparable([self.weekdays[place] for place in rest], weekday)
        usual = np.median(self.sizes[[rest[place] for place in kept]], axis=0)
        noise = usual + SIGMAS * self.deviations
        return np.where(self.known, np.maximum(floors, noise), floors)

    def largest(self, floors: Floats) -> Floats:
        """The null distribution: each day's largest distance in multiples of its scale, the day itself
        left out of what is usual."""
        each = [
            self.sizes[place] / self.scales(floors, weekday, place)
            for place, weekday in enumerate(self.weekdays)
        ]
        return np.array([one.max(initial=0.0) for one in each], dtype=np.float64)


def _statistic(one: Distance, scale: float, limits: Limits, area: str) -> Statistic:
    # A distance that decides sooner or later than others does so in the same proportion.
    act = limits.act * scale * one.act_factor / ACT_FACTOR
    threshold = Threshold(limits.watch * scale, act)
    return Statistic(
        one.name,
        one.value,
        threshold.watch,
        area,
        threshold.severity(one.value),
        one.words,
        one.observed,
        one.usual,
        one.of,
    )
