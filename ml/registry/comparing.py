"""What a better NDCG may not cost: guardrails and floors of one surface.

Belongs here: comparing two models' figures with the policy's margins. Does not belong here: the margins
(policy.toml), the figures (ml.registry.ground) or the verdict (ml.registry.gate).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.intervals import Interval, paired_interval
from ml.registry.decision import Kind, Outcome, Ruling, judged
from ml.registry.evidence import SurfaceEvidence
from ml.registry.policy import Judging, Policy

# Guardrails whose figure is better when it is lower.
LOWER_IS_BETTER = frozenset({"gini", "repeats", "calibration", "fallback"})
TOTALS = ("coverage", "gini")
MEASURES = ("novelty", "repeats", "calibration", "fallback")
_Columns = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: Kind
    name: str
    surface: str
    why: str

    def unjudged(self, text: str, asks: str) -> Ruling:
        """Said, never passed over."""
        return Ruling(self.kind, self.name, self.surface, Outcome.NOT_JUDGED, text, asks, self.why)


def _difference(
    ours: _Columns, theirs: _Columns, name: str, user: NDArray[np.int32], use: Judging
) -> Interval | None:
    """challenger - champion by listener, None where one of them was not measured."""
    if name not in ours or name not in theirs:
        return None
    return paired_interval(ours[name], theirs[name], user, seed=use.seed, resamples=use.resamples)


def guardrails(
    surface: str, ours: SurfaceEvidence, theirs: SurfaceEvidence, policy: Policy
) -> list[Ruling]:
    """A ruling for each guardrail of the policy, in its order."""
    rulings = []
    for name in type(policy.guardrails).model_fields:
        guardrail = getattr(policy.guardrails, name)
        rule = _Rule(Kind.GUARDRAIL, name, surface, guardrail.reason)
        if not guardrail.use:
            rulings.append(rule.unjudged("switched off", "nothing: the policy says use = false"))
        elif name in TOTALS:
            rulings.append(_total(rule, ours.totals, theirs.totals, guardrail.margin))
        else:
            gap = _difference(ours.measures, theirs.measures, name, ours.user, policy.judging)
            rulings.append(_measure(rule, gap, guardrail.margin, policy.judging.minimum_users))
    return rulings


def _total(
    rule: _Rule, ours: Mapping[str, float], theirs: Mapping[str, float], margin: float
) -> Ruling:
    """Values of all lists together: coverage as a part of the champion's, Gini as a difference."""
    mine, other = ours.get(rule.name, np.nan), theirs.get(rule.name, np.nan)
    if np.isnan(mine) or np.isnan(other):
        return rule.unjudged("n/a", "both models' lists")
    lower = rule.name in LOWER_IS_BETTER
    threshold = other + margin if lower else other * (1.0 - margin)
    holds = mine <= threshold if lower else mine >= threshold
    return Ruling(
        rule.kind,
        rule.name,
        rule.surface,
        Outcome.HOLDS if holds else Outcome.FAILS,
        f"{mine:.4f} against {other:.4f}",
        f"at {'most' if lower else 'least'} {threshold:.4f}",
        rule.why,
        figure=float(mine),
        threshold=float(threshold),
    )


def _few(interval: Interval | None, minimum: int) -> str | None:
    """Why an interval judges nothing, None where it does."""
    if interval is None:
        return "both models measured"
    if interval.users < minimum:
        return f"at least {minimum} listeners, found {interval.users}"
    return None


def _measure(rule: _Rule, gap: Interval | None, margin: float, minimum: int) -> Ruling:
    """Not inferior: the interval ends within the margin."""
    few = _few(gap, minimum)
    if gap is None or few is not None:
        return rule.unjudged(gap.text() if gap else "n/a", few or "")
    lower = rule.name in LOWER_IS_BETTER
    threshold = margin if lower else -margin
    holds = gap.high < threshold if lower else gap.low > threshold
    asks = f"interval {'below' if lower else 'above'} {threshold:g}"
    return judged(
        rule.kind, rule.name, rule.surface, gap, threshold, holds=holds, asks=asks, why=rule.why
    )


def floors(
    surface: str, ours: SurfaceEvidence, theirs: SurfaceEvidence, policy: Policy
) -> list[Ruling]:
    """A ruling for each slice of the policy: it fails where the slice is shown to be below its floor."""
    rulings, use = [], policy.judging
    for name in type(policy.floors).model_fields:
        floor = getattr(policy.floors, name)
        rule = _Rule(Kind.FLOOR, name.replace("_", " "), surface, floor.reason)
        if not floor.use:
            rulings.append(rule.unjudged("switched off", "nothing: the policy says use = false"))
            continue
        gap = _difference(ours.slices, theirs.slices, name, ours.user, use)
        few = _few(gap, use.minimum_users)
        if gap is None or few is not None:
            rulings.append(rule.unjudged(gap.text() if gap else "n/a", few or ""))
            continue
        asks = f"interval not wholly below {floor.floor:g}"
        holds = not gap.high < floor.floor
        rulings.append(
            judged(
                rule.kind,
                rule.name,
                surface,
                gap,
                floor.floor,
                holds=holds,
                asks=asks,
                why=rule.why,
            )
        )
    return rulings
