"""From statistics to one verdict with reasons a person can act on.

Belongs here: how severities add up, two windows before `act`, the cap of a short reference. Does not
belong here: how a severity comes about (thresholds) or who is suspected (suspects).
"""

from collections.abc import Sequence

from monitoring.areas import JUDGED, NOT_ENOUGH, Judgement, Statistic, Verdict
from monitoring.suspects import raised, suspect_of, words
from monitoring.thresholds import TWO_WEEKS

ALL_QUIET = "nothing unusual: every measure is inside its threshold"
NOTHING: tuple[str, ...] = ()
FIRST_WINDOW = (
    "the first window this far out: `watch`; it asks for a decision when the next one is as far out"
)


def judge(
    statistics: Sequence[Statistic],
    notes: Sequence[str] = (),
    *,
    before: Verdict | None = None,
    quiet_days: int | None = None,
) -> Judgement:
    """The worst severity, the statistics behind it with their suspects, first suspect first, then notes.

    `before` is the level of the window before, None = there was none; `quiet_days` the days of the
    reference, None = the severities stand as they are. `act` needs a break of the data, or this level
    in two windows running and two weeks of reference. Without statistics the verdict is `watch`: an
    `ok` is a claim, and a claim needs evidence.
    """
    if not statistics:
        return Judgement(Verdict.WATCH, tuple(notes) or ("not enough data to judge",), NOT_ENOUGH)
    found = raised(statistics)
    level = found[0].severity if found else Verdict.OK
    verdict, why = level, NOTHING
    if level is Verdict.ACT and quiet_days is not None and not _broken(found):
        verdict, why = _confirmed(before, quiet_days)
    reasons = tuple(f"{words(suspect_of(one))}: {one.explanation}" for one in found)
    return Judgement(verdict, (*(reasons or (ALL_QUIET,)), *why, *notes), JUDGED, level)


def _broken(found: Sequence[Statistic]) -> bool:
    return any(one.is_break and one.severity is Verdict.ACT for one in found)


def _confirmed(before: Verdict | None, quiet_days: int) -> tuple[Verdict, tuple[str, ...]]:
    if quiet_days < TWO_WEEKS:
        known = f"the reference has {quiet_days} quiet days"
        return Verdict.WATCH, (f"at most `watch`: {known}, and {TWO_WEEKS} tell what is usual",)
    if before is not Verdict.ACT:
        return Verdict.WATCH, (FIRST_WINDOW,)
    return Verdict.ACT, ()
