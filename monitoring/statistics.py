"""Statistics of a day against its reference days: a pure function on daily profiles.

Belongs here: comparing numbers and shares, and saying in words what was found. Does not belong
here: counting (profile), floors (measures), calibration (thresholds).
"""

import math
from collections.abc import Sequence

import numpy as np

from monitoring.areas import Statistic, Verdict
from monitoring.effects import js_distance, sampling_noise
from monitoring.measures import (
    DISTRIBUTIONS,
    GONE,
    MEASURES,
    VANISHING_SHARE,
    Comparison,
    Distribution,
    Measure,
)
from monitoring.profile import Profile
from monitoring.thresholds import (
    FEWEST_DAYS,
    TWO_WEEKS,
    calibrated,
    comparable,
    quiet_effects,
)

AREA = "data_quality"
_THOUSAND = math.log(1000)
# From here on a percentage is harder to read than a factor.
_MANIFOLD = 5


def statistics(
    profile: Profile,
    reference: Sequence[Profile],
    measures: Sequence[Measure] = MEASURES,
    distributions: Sequence[Distribution] = DISTRIBUTIONS,
    area: str = AREA,
) -> tuple[Statistic, ...]:
    """Effect sizes of `profile` against the reference days, in the order of the measures.

    Each threshold comes from the same effect between the reference days themselves, weekday against
    weekday from two weeks on, and is never below the measure's floor. Reference days without a
    listen are left out; with fewer than three days left there is nothing to compare and the result
    is empty.
    """
    days = [one for one in reference if one.listens > 0 and one.day != profile.day]
    if len(days) < FEWEST_DAYS:
        return ()
    found = [
        _number(profile, days, measure, area)
        for measure in measures
        if measure.name in profile.numbers and all(measure.name in one.numbers for one in days)
    ]
    if profile.listens > 0:
        found += [_distribution(profile, days, one, area) for one in distributions]
    return tuple(found)


def reference_notes(reference: Sequence[Profile]) -> tuple[str, ...]:
    """What a reader must know about the reference before trusting a verdict."""
    days = sum(one.listens > 0 for one in reference)
    if days < FEWEST_DAYS:
        return (f"not enough reference days: {days}, and at least {FEWEST_DAYS} are needed",)
    if days < TWO_WEEKS:
        rhythm = (
            "under two weeks: weekdays are not told apart and noise is allowed half as much again"
        )
        return (f"only {days} reference days, {rhythm}",)
    return ()


def _number(profile: Profile, days: Sequence[Profile], measure: Measure, area: str) -> Statistic:
    values = [one.numbers[measure.name] for one in days]
    weekdays = [one.day.weekday() for one in days]
    observed = profile.numbers[measure.name]
    kept = comparable(weekdays, profile.day.weekday())
    usual = float(np.median([values[position] for position in kept]))

    def quiet(day: int, others: list[int]) -> float:
        middle = float(np.median([values[position] for position in others]))
        return _effect(values[day], middle, measure)

    threshold = calibrated(quiet_effects(len(days), weekdays, quiet), measure.floor, len(days))
    effect = _effect(observed, usual, measure)
    return Statistic(
        measure.name,
        effect,
        threshold.watch,
        area,
        threshold.severity(effect),
        _number_in_words(measure, observed, usual),
        observed,
        usual,
    )


def _effect(value: float, usual: float, measure: Measure) -> float:
    if measure.comparison is Comparison.RATIO:
        return abs(math.log((value + measure.ease) / (usual + measure.ease)))
    if measure.comparison is Comparison.FALL:
        return max(usual - value, 0.0) / usual if usual > 0 else 0.0
    rise = value - usual
    one_sided = {Comparison.RISE: rise, Comparison.DROP: -rise}
    return max(one_sided.get(measure.comparison, abs(rise)), 0.0)


def _number_in_words(measure: Measure, observed: float, usual: float) -> str:
    text = (
        f"{measure.title}: {_shown(observed, measure.unit)} against "
        f"{_shown(usual, measure.unit)} usually"
    )
    if measure.comparison not in (Comparison.RATIO, Comparison.FALL) or usual <= 0:
        return text
    if measure.unit == "ms" and observed > 0:
        ratio = math.log(observed / usual)
        if abs(abs(ratio) - _THOUSAND) < math.log(2):
            return text + ", a factor of about 1,000: seconds where milliseconds belong?"
    if observed > _MANIFOLD * usual:
        return text + f" ({observed / usual:,.0f} times as much)"
    return text + f" ({100 * (observed / usual - 1):+,.0f} %)"


def _shown(value: float, unit: str) -> str:
    if unit == "%":
        return f"{100 * value:.1f} %"
    return (
        f"{value:,.0f}{' ' + unit if unit else ''}"
        if value >= 10
        else f"{value:.3g} {unit}".strip()
    )


def _distribution(
    profile: Profile, days: Sequence[Profile], measure: Distribution, area: str
) -> Statistic:
    weekdays = [one.day.weekday() for one in days]
    kept = comparable(weekdays, profile.day.weekday())
    usual = mean_shares([days[position].shares.get(measure.name, {}) for position in kept])
    observed = profile.shares.get(measure.name, {})

    def quiet(day: int, others: list[int]) -> float:
        rest = mean_shares([days[position].shares.get(measure.name, {}) for position in others])
        return js_distance(days[day].shares.get(measure.name, {}), rest)

    listens = sum(days[position].listens for position in kept)
    noise = sampling_noise(len(usual.keys() | observed.keys()), profile.listens, listens)
    threshold = calibrated(
        quiet_effects(len(days), weekdays, quiet), max(measure.floor, 2 * noise), len(days)
    )
    effect = js_distance(observed, usual)
    severity = threshold.severity(effect)
    gone = _gone(measure, observed, usual)
    if gone:
        severity = Verdict.ACT
    name, now, before = largest_move(observed, usual)
    return Statistic(
        measure.name,
        effect,
        threshold.watch,
        area,
        severity,
        _shares_in_words(measure, gone, (name, now, before), effect),
        now,
        before,
    )


def mean_shares(days: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of several days' shares; a name a day lacks counts as zero for that day."""
    names = sorted(set().union(*days)) if days else []
    return {name: float(np.mean([day.get(name, 0.0) for day in days])) for name in names}


def largest_move(observed: dict[str, float], usual: dict[str, float]) -> tuple[str, float, float]:
    """Name, share today and usual share of what moved most; ties by name."""
    names = sorted(observed.keys() | usual.keys())
    if not names:
        return ("", 0.0, 0.0)
    name = max(names, key=lambda one: abs(observed.get(one, 0.0) - usual.get(one, 0.0)))
    return (name, observed.get(name, 0.0), usual.get(name, 0.0))


def _gone(
    measure: Distribution, observed: dict[str, float], usual: dict[str, float]
) -> tuple[str, ...]:
    if measure.vanishes is None:
        return ()
    return tuple(
        f"{measure.vanishes} {name} is missing: {100 * observed.get(name, 0.0):.1f} % against "
        f"{100 * share:.1f} % usually"
        for name, share in sorted(usual.items())
        if share >= VANISHING_SHARE and observed.get(name, 0.0) < GONE * share
    )


def _shares_in_words(
    measure: Distribution, gone: tuple[str, ...], move: tuple[str, float, float], effect: float
) -> str:
    name, now, before = move
    moved = (
        f"{measure.title} ({name}): {100 * now:.1f} % against {100 * before:.1f} % usually, "
        f"JS distance {effect:.2f}"
    )
    return "; ".join((*gone, moved))
