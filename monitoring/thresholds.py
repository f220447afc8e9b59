"""What is usual for a day, and how far from it a day must be to be worth a look.

Belongs here: the calibration of thresholds on quiet reference days, weekday by weekday. Does not
belong here: which measures exist (measures), how far apart two days are (effects).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.areas import Verdict

Floats = NDArray[np.float64]

# Below this many reference days nothing is judged: a spread of two days says nothing.
FEWEST_DAYS = 3
# From two weeks on, a weekday is compared with the same weekdays only.
TWO_WEEKS = 14
# Robust standard deviations of quiet days that make up one measure's scale.
SIGMAS = 4.0
# How seldom the largest statistic of a quiet day may pass the limits of its area, in days.
WATCH_ONCE_IN = 60
ACT_ONCE_IN = 3_650
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


@dataclass(frozen=True, slots=True)
class Limits:
    """Multiples of a measure's scale from which the largest statistic of a day is worth a look, and
    worth a decision; one pair for a whole area, so that thirty measures alarm no oftener than one."""

    watch: float = 1.0
    act: float = ACT_FACTOR

    def threshold(self, scale: float) -> Threshold:
        """The threshold of a measure with this scale."""
        return Threshold(self.watch * scale, self.act * scale)


def limits_of(largest: Floats) -> Limits:
    """Limits from the null distribution: `largest` (quiet days and resampled ones), each day's largest
    statistic in multiples of its measure's scale.

    A day's largest statistic is a maximum, so its tail is a Gumbel's (Coles 2001, section 3.1), fitted
    by moments: scale b = s sqrt(6) / pi, place a = mean - 0.5772 b, quantile a - b ln(-ln p). Never
    below one scale and two: a perfectly regular reference must not make a trifle an alarm.
    """
    if len(largest) < FEWEST_DAYS:
        return Limits()
    width = float(largest.std()) * np.sqrt(6) / np.pi
    place = float(largest.mean()) - np.euler_gamma * width
    watch, act = (
        place - width * float(np.log(-np.log1p(-1 / days))) for days in (WATCH_ONCE_IN, ACT_ONCE_IN)
    )
    watch = max(1.0, float(watch))
    return Limits(watch, max(ACT_FACTOR * watch, float(act)))


def comparable(weekdays: Sequence[int], weekday: int) -> list[int]:
    """Positions of the reference days a day of this weekday is compared with.

    The same weekdays when the reference spans two weeks and holds at least two of them, otherwise
    every day.
    """
    same = [position for position, other in enumerate(weekdays) if other == weekday]
    if len(weekdays) >= TWO_WEEKS and len(same) >= 2:
        return same
    return list(range(len(weekdays)))


def calibrated(quiet: Floats, floor: float, days: int) -> Threshold:
    """Threshold from the sizes of quiet days: their median plus SIGMAS robust deviations.

    Never below `floor`: a perfectly regular reference must not make a trifle an alarm.
    """
    if len(quiet) == 0:
        return Threshold(floor, ACT_FACTOR * floor)
    middle = float(np.median(quiet))
    noise = middle + SIGMAS * _MAD_TO_SIGMA * float(np.median(np.abs(quiet - middle)))
    watch = max(floor, noise * SHORT_REFERENCE_FACTOR if days < TWO_WEEKS else noise)
    return Threshold(watch, ACT_FACTOR * watch)


def deviations(apart: Floats) -> Floats:
    """Robust standard deviation of differences from the middle, float64 per column: 1.4826 times the
    median size (Rousseeuw and Croux 1993); half as much again under two weeks of rows."""
    spread: Floats = _MAD_TO_SIGMA * np.median(np.abs(apart), axis=0)
    return spread * SHORT_REFERENCE_FACTOR if len(apart) < TWO_WEEKS else spread
