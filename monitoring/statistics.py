"""Statistics of a day against its reference days: a pure function on daily profiles.

Belongs here: comparing a day with the usual one, and saying in words what was found. Does not belong
here: counting (profile), floors (measures), limits (calibration).
"""

import math
from collections.abc import Mapping, Sequence

from monitoring.areas import Statistic, Verdict
from monitoring.calibration import Calibration, calibrate
from monitoring.measures import (
    BREAKS,
    DATA_QUALITY,
    GONE,
    VANISHING_SHARE,
    Comparison,
    Distribution,
    Measure,
    Panel,
    Position,
)
from monitoring.profile import Profile
from monitoring.thresholds import FEWEST_DAYS, TWO_WEEKS
from monitoring.usual import Usual, effects, noise, usable, usual_day

_THOUSAND = math.log(1000)
# From here on a percentage is harder to read than a factor.
_MANIFOLD = 5

Shares = Mapping[str, float]


def statistics(
    profile: Profile,
    reference: Sequence[Profile],
    panel: Panel = DATA_QUALITY,
    calibration: Calibration | None = None,
) -> tuple[Statistic, ...]:
    """Effect sizes of `profile` against the reference days, in the order of the panel.

    Thresholds are those of `calibration`; None = calibrated on the reference days alone. Reference days
    without a listen are left out; with fewer than three days left there is nothing to compare and the
    result is empty.
    """
    days = usable(reference, profile.day)
    if len(days) < FEWEST_DAYS:
        return ()
    limits = calibration or calibrate(days, panel)
    usual = usual_day(days, profile.day)
    found = effects(profile, usual, panel)
    return tuple(
        _judged(one, found[one.name], profile, usual, panel, limits)
        for one in panel.everything
        if one.name in found
    )


def reference_notes(reference: Sequence[Profile]) -> tuple[str, ...]:
    """What a reader must know about the reference before trusting a verdict."""
    days = sum(one.listens > 0 for one in reference)
    if days < FEWEST_DAYS:
        return (f"not enough reference days: {days}, and at least {FEWEST_DAYS} are needed",)
    if days < TWO_WEEKS:
        rhythm = (
            "under two weeks: weekdays are not told apart, noise is allowed half as much again, and "
            "only a break of the data asks for a decision"
        )
        return (f"only {days} reference days, {rhythm}",)
    return ()


def _judged(
    one: Measure | Distribution | Position,
    effect: float,
    profile: Profile,
    usual: Usual,
    panel: Panel,
    calibration: Calibration,
) -> Statistic:
    scale = calibration.scales.get(one.name, one.floor)
    if isinstance(one, Distribution):
        scale = max(scale, noise(one.name, profile, usual))
    threshold = calibration.limits.threshold(scale)
    words, observed, before, of, gone = _read(one, effect, profile, usual.profile)
    return Statistic(
        one.name,
        effect,
        threshold.watch,
        panel.area,
        Verdict.ACT if gone else threshold.severity(effect),
        words,
        observed,
        before,
        of,
        gone or one.name in BREAKS,
    )


def _read(
    one: Measure | Distribution | Position, effect: float, profile: Profile, usual: Profile
) -> tuple[str, float, float, str, bool]:
    """Words, figure today, usual figure, the value that moved most, and whether one is gone."""
    if isinstance(one, Measure):
        observed, before = profile.numbers[one.name], usual.numbers[one.name]
        return number_in_words(one, observed, before), observed, before, "", False
    if isinstance(one, Position):
        return f"{one.title} moved by {effect:.2f} of the usual spread", effect, 0.0, "", False
    shares = profile.shares.get(one.name, {}), usual.shares.get(one.name, {})
    gone = vanished(one, *shares)
    move = largest_move(*shares)
    words = _shares_in_words(one, gone, shares, move, effect)
    return words, move[1], move[2], gone[0] if gone else move[0], bool(gone)


def number_in_words(measure: Measure, observed: float, usual: float) -> str:
    """A number beside its usual value, with a guess where the factor is telling."""
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


def largest_move(observed: Shares, usual: Shares) -> tuple[str, float, float]:
    """Name, share today and usual share of what moved most; ties by name."""
    names = sorted(observed.keys() | usual.keys())
    if not names:
        return ("", 0.0, 0.0)
    name = max(names, key=lambda one: abs(observed.get(one, 0.0) - usual.get(one, 0.0)))
    return (name, observed.get(name, 0.0), usual.get(name, 0.0))


def vanished(measure: Distribution, observed: Shares, usual: Shares) -> tuple[str, ...]:
    """Values with a usual share that are gone for the whole day, the largest first."""
    if measure.vanishes is None:
        return ()
    missing = [
        name
        for name, share in usual.items()
        if share >= VANISHING_SHARE and observed.get(name, 0.0) < GONE * share
    ]
    return tuple(sorted(missing, key=lambda name: (-usual[name], name)))


def _shares_in_words(
    measure: Distribution,
    gone: tuple[str, ...],
    shares: tuple[Shares, Shares],
    move: tuple[str, float, float],
    effect: float,
) -> str:
    name, now, before = move
    moved = (
        f"{measure.title} ({name}): {100 * now:.1f} % against {100 * before:.1f} % usually, "
        f"JS distance {effect:.2f}"
    )
    missing = (
        f"{measure.vanishes} {one} is missing: {100 * shares[0].get(one, 0.0):.1f} % against "
        f"{100 * shares[1].get(one, 0.0):.1f} % usually"
        for one in gone
    )
    return "; ".join((*missing, moved))
