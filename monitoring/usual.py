"""What is usual for a weekday, and how far a day is from it, measure by measure.

Belongs here: the usual day and the effects of a day against it. Does not belong here: whether an effect
matters (calibration) or how it reads (statistics).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from monitoring.effects import js_distance, sampling_noise
from monitoring.measures import Comparison, Measure, Panel
from monitoring.profile import Profile
from monitoring.thresholds import comparable

# What an empty day still has: quantiles and shares of nothing are no figures.
_OF_AN_EMPTY_DAY = frozenset({"listens", "listeners", "sessions"})


@dataclass(frozen=True, slots=True)
class Usual:
    """The usual day: medians of numbers, means of shares and points; `listens` of all its days."""

    profile: Profile
    listens: float


def usable(reference: Sequence[Profile], day: date) -> list[Profile]:
    """The reference without the day itself and without days that hold nothing."""
    return [one for one in reference if one.listens > 0 and one.day != day]


def usual_day(days: Sequence[Profile], day: date) -> Usual:
    """The usual day for the weekday of `day`; from two weeks on it rests on the same weekdays alone."""
    kept = [days[one] for one in comparable([one.day.weekday() for one in days], day.weekday())]
    names = set(kept[0].numbers).intersection(*(one.numbers for one in kept))
    numbers = {
        name: float(np.median([one.numbers[name] for one in kept])) for name in sorted(names)
    }
    shares = {
        name: mean_shares([one.shares.get(name, {}) for one in kept]) for name in kept[0].shares
    }
    points = {name: np.mean([one.points[name] for one in kept], axis=0) for name in kept[0].points}
    return Usual(Profile(day, numbers, shares, points), sum(one.listens for one in kept))


def effects(profile: Profile, usual: Usual, panel: Panel) -> dict[str, float]:
    """Effect sizes by name, in the order of the panel; a measure that one side lacks is left out.

    A day without a listen has its counts of listens, listeners and sessions alone.
    """
    now, then = profile.numbers, usual.profile.numbers
    found = {
        one.name: effect(now[one.name], then[one.name], one)
        for one in panel.measures
        if one.name in now and one.name in then
    }
    if profile.listens <= 0:
        return {name: size for name, size in found.items() if name in _OF_AN_EMPTY_DAY}
    for spread in panel.distributions:
        found[spread.name] = js_distance(
            profile.shares.get(spread.name, {}), usual.profile.shares.get(spread.name, {})
        )
    for place in panel.positions:
        if place.name in profile.points and place.name in usual.profile.points:
            apart = profile.points[place.name] - usual.profile.points[place.name]
            found[place.name] = float(np.linalg.norm(apart)) / place.width
    return found


def effect(value: float, usual: float, measure: Measure) -> float:
    """How far a number is from its usual value, in the measure's own sense."""
    if measure.comparison is Comparison.RATIO:
        return abs(math.log((value + measure.ease) / (usual + measure.ease)))
    if measure.comparison is Comparison.FALL:
        return max(usual - value, 0.0) / usual if usual > 0 else 0.0
    rise = value - usual
    one_sided = {Comparison.RISE: rise, Comparison.DROP: -rise}
    return max(one_sided.get(measure.comparison, abs(rise)), 0.0)


def noise(name: str, profile: Profile, usual: Usual) -> float:
    """Twice the JS distance to expect between two samples of one distribution of these sizes."""
    now, then = profile.shares.get(name, {}), usual.profile.shares.get(name, {})
    return 2 * sampling_noise(len(now.keys() | then.keys()), profile.listens, usual.listens)


def mean_shares(days: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of several days' shares; a name a day lacks counts as zero for that day."""
    names = sorted(set().union(*days)) if days else []
    return {name: float(np.mean([day.get(name, 0.0) for day in days])) for name in names}
