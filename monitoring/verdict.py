"""From statistics to one verdict with reasons a person can act on.

Belongs here: how severities add up. Does not belong here: how a severity comes about (thresholds).
"""

from collections.abc import Sequence

from monitoring.areas import JUDGED, NOT_ENOUGH, Judgement, Statistic, Verdict

ALL_QUIET = "nothing unusual: every measure is inside its threshold"


def judge(statistics: Sequence[Statistic], notes: Sequence[str] = ()) -> Judgement:
    """The worst severity, the statistics behind it worst first, then the notes.

    Among equals the one furthest beyond its threshold comes first. Without statistics the verdict
    is `watch`: an `ok` is a claim, and a claim needs evidence.
    """
    if not statistics:
        return Judgement(Verdict.WATCH, tuple(notes) or ("not enough data to judge",), NOT_ENOUGH)
    raised = sorted(
        (one for one in statistics if one.severity is not Verdict.OK),
        key=lambda one: (-one.severity.rank, -excess(one), one.name),
    )
    verdict = raised[0].severity if raised else Verdict.OK
    reasons = tuple(one.explanation for one in raised) or (ALL_QUIET,)
    return Judgement(verdict, (*reasons, *notes), JUDGED)


def excess(statistic: Statistic) -> float:
    """Effect in multiples of its threshold; infinite when the threshold is zero."""
    if statistic.threshold > 0:
        return statistic.value / statistic.threshold
    return float("inf") if statistic.value > 0 else 0.0
