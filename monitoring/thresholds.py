"""What is usual for a day, and how far from it a day must be to be worth a look.

Belongs here: the calibration of thresholds on quiet reference days, weekday by weekday. Does not
belong here: which measures exist (measures), how far apart two days are (effects).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.areas import Verdict

Floats = NDArray[np.float64]

# Below this many reference days nothing is judged: a spread of two days says nothing.
FEWEST_DAYS = 3
# From two weeks on, a weekday is compared with the same weekdays only.
TWO_WEEKS = 14
# Robust standard deviations of quiet days from which a day is worth a look. Four keeps forty
# measures on quiet days below one false alarm a month for bell-shaped noise.
SIGMAS = 4.0
# With less than two weeks the weekday's rhythm is inside the noise, and the noise is badly known.
SHORT_REFERENCE_FACTOR = 1.5
ACT_FACTOR = 2.0
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class Threshold:
    """Effect sizes from which a statistic asks for attention and for a decision."""

    watch: float
    act: float

    def severity(self, value: float) -> Verdict:
        """The verdict on an effect of this size; the limits themselves are still quiet."""
        if value > self.act:
            return Verdict.ACT
        return Verdict.WATCH if value > self.watch else Verdict.OK


def comparable(weekdays: Sequence[int], weekday: int) -> list[int]:
    """Positions of the reference days a day of this weekday is compared with.

    The same weekdays when the reference spans two weeks and holds at least two of them, otherwise
    every day.
    """
    same = [position for position, other in enumerate(weekdays) if other == weekday]
    if len(weekdays) >= TWO_WEEKS and len(same) >= 2:
        return same
    return list(range(len(weekdays)))


def quiet_effects(
    days: int, weekdays: Sequence[int], effect: Callable[[int, list[int]], float]
) -> Floats:
    """The effect of every reference day against the other reference days it compares with.

    `effect(day, others)` gets positions. These are the sizes that mean nothing happened.
    """
    sizes = []
    for day in range(days):
        others = [position for position in range(days) if position != day]
        kept = comparable([weekdays[position] for position in others], weekdays[day])
        sizes.append(effect(day, [others[position] for position in kept]))
    return np.array(sizes, dtype=np.float64)


def calibrated(quiet: Floats, floor: float, days: int) -> Threshold:
    """Threshold from the sizes of quiet days: their median plus SIGMAS robust deviations.

    Never below `floor`: a perfectly regular reference must not make a trifle an alarm.
    """
    if len(quiet) == 0:
        return Threshold(floor, ACT_FACTOR * floor)
    middle = float(np.median(quiet))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(quiet - middle)))
    noise = middle + SIGMAS * spread
    watch = max(floor, noise * SHORT_REFERENCE_FACTOR if days < TWO_WEEKS else noise)
    return Threshold(watch, ACT_FACTOR * watch)
