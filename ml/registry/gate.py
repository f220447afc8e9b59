"""The promotion rule: may this challenger serve?

Belongs here: one pure function and the evidence it weighs. Does not belong here: storing or acting on the
decision (ml.registry.models).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.errors import SegueError
from ml.evaluation.intervals import Interval, paired_interval


class GateError(SegueError):
    """Evidence that cannot be compared."""


@dataclass(frozen=True, slots=True)
class SurfaceEvidence:
    """NDCG@10 per test request, float64 (n), nan where nothing was relevant.

    `request_keys` identify the requests, `user` int32 (n) is resampled; `popularity` is the score of
    decayed popularity on the same requests.
    """

    request_keys: tuple[str, ...]
    user: NDArray[np.int32]
    ndcg: NDArray[np.float64]
    popularity: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A model's version, the day before which it saw everything, and its scores by surface."""

    version: str
    as_of: str
    surfaces: Mapping[str, SurfaceEvidence]


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """`margin`: how much NDCG@10 a surface may lose and still count as not worse."""

    margin: float = 0.002
    seed: int = 11
    resamples: int = 2_000


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule, what was found, what it asks, and whether it holds."""

    rule: str
    surface: str
    interval: Interval | None
    threshold: float
    passed: bool
    text: str
    asks: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict with everything that led to it."""

    challenger: str
    champion: str | None
    promote: bool
    reasons: tuple[Reason, ...]

    def to_markdown(self) -> str:
        """The decision as a table under its verdict."""
        verdict = "Promote" if self.promote else "Not promoted"
        rival = f"champion `{self.champion}`" if self.champion else "no champion"
        lines = [
            f"**{verdict}**: challenger `{self.challenger}` against {rival}",
            "",
            "| rule | surface | difference in NDCG@10 | asks for | holds |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| {reason.rule} | {reason.surface} | {reason.text} | {reason.asks} "
            f"| {'yes' if reason.passed else 'no'} |"
            for reason in self.reasons
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """The decision for JSON."""
        return {
            "challenger": self.challenger,
            "champion": self.champion,
            "promote": self.promote,
            "reasons": [
                {
                    "rule": reason.rule,
                    "surface": reason.surface,
                    "mean": reason.interval.mean if reason.interval else None,
                    "low": reason.interval.low if reason.interval else None,
                    "high": reason.interval.high if reason.interval else None,
                    "threshold": reason.threshold,
                    "asks": reason.asks,
                    "passed": reason.passed,
                    "text": reason.text,
                }
                for reason in self.reasons
            ],
        }


def _reason(rule: str, surface: str, interval: Interval, threshold: float) -> Reason:
    passed = interval.users > 0 and interval.low > threshold
    asks = f"interval above {threshold:g}"
    return Reason(rule, surface, interval, threshold, passed, interval.text(), asks)


def _refusal(rule: str, text: str) -> Reason:
    return Reason(rule, "all", None, 0.0, False, text, "yes")


def _first(challenger: Evidence, policy: GatePolicy) -> Decision:
    """Against decayed popularity: better on a surface, shown worse on none; or the very same lists."""
    reasons, better, same = [], False, bool(challenger.surfaces)
    rule, asks = "not worse than decayed popularity", "interval not below 0"
    for surface, found in sorted(challenger.surfaces.items()):
        gap = paired_interval(
            found.ndcg, found.popularity, found.user, seed=policy.seed, resamples=policy.resamples
        )
        if not gap.users:
            continue
        held = not gap.high < 0
        reasons.append(Reason(rule, surface, gap, 0.0, held, gap.text(), asks))
        better |= gap.mean > 0
        same &= np.array_equal(found.ndcg, found.popularity, equal_nan=True)
    if not reasons:
        reasons.append(_refusal("a surface was judged", "nobody asked on the test days"))
    reasons.append(_superior("beats decayed popularity on a surface, or is it", better or same))
    promote = all(reason.passed for reason in reasons)
    return Decision(challenger.version, None, promote, tuple(reasons))


def _superior(rule: str, better: bool) -> Reason:
    return Reason(rule, "all", None, 0.0, better, "yes" if better else "on none", "yes")


def _paired(challenger: Evidence, champion: Evidence, surface: str, policy: GatePolicy) -> Interval:
    ours, theirs = challenger.surfaces[surface], champion.surfaces[surface]
    if ours.request_keys != theirs.request_keys:
        raise GateError(
            f"expected challenger and champion to be judged on the same {surface} requests, "
            f"found {len(ours.request_keys)} and {len(theirs.request_keys)} that differ; "
            "run `segue run train` again"
        )
    return paired_interval(
        ours.ndcg, theirs.ndcg, ours.user, seed=policy.seed, resamples=policy.resamples
    )


def decide(
    challenger: Evidence, champion: Evidence | None, policy: GatePolicy, first_test_day: str
) -> Decision:
    """Weigh a challenger against the champion on the same requests.

    The first champion must beat decayed popularity on a surface (mean above zero: the alternative is no
    recommendations at all) and be shown worse on none (interval below zero). Where validation left every
    surface to decayed popularity itself, that serves: it is what answers fall back to anyway.
    A later one must not be worse than the champion on any surface by more than the margin and better on
    at least one. A champion that saw test days (its as_of is after `first_test_day`, ISO) cannot be
    judged on them and stays.

    Raises:
        GateError: the two were judged on different requests.
    """
    if champion is None:
        return _first(challenger, policy)
    if champion.version == challenger.version:
        same = _refusal("it is another model", "the challenger is the champion: nothing changed")
        return Decision(challenger.version, champion.version, False, (same,))
    if champion.as_of > first_test_day:
        seen = _refusal(
            "the champion has not seen the test days",
            f"the champion saw everything before {champion.as_of}, the test begins {first_test_day}",
        )
        return Decision(challenger.version, champion.version, False, (seen,))
    reasons: list[Reason] = []
    better = False
    for surface in sorted(set(challenger.surfaces) & set(champion.surfaces)):
        interval = _paired(challenger, champion, surface, policy)
        if not interval.users:
            continue
        reasons.append(_reason("not worse than the champion", surface, interval, -policy.margin))
        better |= interval.users > 0 and interval.low > 0
    reasons.extend(
        _refusal("keeps every surface", f"the challenger has no {surface} ranker")
        for surface in sorted(set(champion.surfaces) - set(challenger.surfaces))
    )
    held = bool(reasons) and all(reason.passed for reason in reasons)
    superior = _superior("better on a surface", better)
    return Decision(challenger.version, champion.version, held and better, (*reasons, superior))
