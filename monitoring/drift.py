"""One drift statistic: an effect size against its floor and against its own quiet days.

Belongs here: what feature, embedding and score drift share. Does not belong here: the effects
themselves (effects) or their names (one module per area).
"""

from collections.abc import Sequence

import numpy as np

from monitoring.areas import Statistic
from monitoring.profile import Profile
from monitoring.thresholds import ACT_FACTOR, FEWEST_DAYS, TWO_WEEKS, Threshold, calibrated


def drift_statistic(
    name: str,
    effect: float,
    floor: float,
    history: Sequence[Profile],
    area: str,
    explanation: str,
    observed: float,
    usual: float,
    act_factor: float = ACT_FACTOR,
) -> Statistic:
    """Judge an effect size measured against one fixed reference.

    The same effect on earlier quiet days (`<name>.effect` of `history`) lifts the threshold above
    `floor`: a reference from training time is never quite like a later day, and that constant
    distance is no news. With fewer than three such days the floor stands alone. From `act_factor`
    thresholds on it asks for a decision.
    """
    quiet = np.array(
        [one.numbers[f"{name}.effect"] for one in history if f"{name}.effect" in one.numbers],
        dtype=np.float64,
    )
    quiet = quiet if len(quiet) >= FEWEST_DAYS else quiet[:0]
    watch = calibrated(quiet, floor, len(quiet) or TWO_WEEKS).watch
    threshold = Threshold(watch, act_factor * watch)
    return Statistic(
        name,
        effect,
        threshold.watch,
        area,
        threshold.severity(effect),
        explanation,
        observed,
        usual,
    )
