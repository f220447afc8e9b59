"""The promotion rule: may this challenger serve?

Belongs here: one pure function over evidence and policy. Does not belong here: the numbers of the rules
(policy.toml), storing or acting on the decision (ml.registry.records, ml.registry.models).
"""

from collections.abc import Iterator
from datetime import date

import numpy as np

from ml.errors import SegueError
from ml.evaluation.intervals import Interval, paired_interval
from ml.registry.comparing import floors, guardrails
from ml.registry.decision import Decision, Kind, Outcome, Ruling, judged
from ml.registry.evidence import Evidence
from ml.registry.policy import Policy

_ABOVE = "above decayed popularity on a surface, or it itself"
_BETTER = "better on a surface"
# A mean of differences that cancel out is rarely 0 itself.
_ROUNDING = 1e-12


class GateError(SegueError):
    """Evidence that cannot be compared."""


def decide(
    challenger: Evidence, champion: Evidence | None, policy: Policy, first_test_day: str
) -> Decision:
    """Weigh a challenger against the champion on the same requests.

    Whatever the rest says, the challenger keeps the policy's invariants. The first champion must be
    above decayed popularity on a surface (mean above zero: the alternative is no recommendations at all)
    and be shown below it on none (interval below zero; of too few listeners a mean of zero is enough and
    nothing is shown). Where validation left every surface to decayed popularity itself, that serves. A
    champion that gives no answers with this Segue cannot serve either: its challenger is weighed like a first.
    A later one must not be worse than the champion on any surface by more than the margin, be better on
    at least one (not asked where the champion is old; where no surface has enough listeners to judge either,
    no mean may be below the margin), keep the guardrails, and be shown worse than a
    floor on no slice. A champion that saw test days (its as_of is after `first_test_day`, ISO) cannot
    be judged on them and stays.

    Raises:
        GateError: the two were judged on different requests.
    """
    against = champion.version if champion else None
    if champion is not None and champion.version == challenger.version:
        text = "the challenger is the champion: nothing changed"
        return _refused(challenger, champion, "it is another model", text)
    if champion is None or champion.cannot_answer:
        unable = [] if champion is None else [_unable(champion)]
        rulings = [*unable, *_invariants(challenger, policy), *_first(challenger, policy)]
    elif champion.as_of > first_test_day:
        text = (
            f"the champion saw everything before {champion.as_of}, the test begins {first_test_day}"
        )
        return _refused(challenger, champion, "the champion has not seen the test days", text)
    else:
        _check_same_requests(challenger, champion)
        rulings = [*_invariants(challenger, policy), *_later(challenger, champion, policy)]
    promote = all(one.outcome is not Outcome.FAILS for one in rulings)
    return Decision(challenger.version, against, promote, tuple(rulings))


def _premise(rule: str, text: str, outcome: Outcome) -> Ruling:
    return Ruling(Kind.PREMISE, rule, "all", outcome, text, "yes", "without it nothing is compared")


def _unable(champion: Evidence) -> Ruling:
    told = "the champion answers with this version of Segue"
    text = f"no, it is weighed like no champion: {champion.cannot_answer}"
    return _premise(told, text, Outcome.NOT_JUDGED)


def _refused(challenger: Evidence, champion: Evidence, rule: str, text: str) -> Decision:
    only = _premise(rule, text, Outcome.FAILS)
    return Decision(challenger.version, champion.version, False, (only,))


def _invariants(challenger: Evidence, policy: Policy) -> Iterator[Ruling]:
    for name in type(policy.invariants).model_fields:
        found = challenger.invariants.get(name)
        passed = found is not None and found.passed
        yield Ruling(
            Kind.INVARIANT,
            name.replace("_", " "),
            "all",
            Outcome.HOLDS if passed else Outcome.FAILS,
            found.text if found else "not measured: run `segue run train` again",
            "yes",
            getattr(policy.invariants, name).reason,
        )


def _any(rule: str, better: bool, why: str) -> Ruling:
    outcome, text = (Outcome.HOLDS, "yes") if better else (Outcome.FAILS, "on none")
    return Ruling(Kind.PRIMARY, rule, "all", outcome, text, "yes", why)


def _first(challenger: Evidence, policy: Policy) -> list[Ruling]:
    """Against decayed popularity: above it on a surface, shown below it on none; or the same lists."""
    rulings, better, same, asked = [], False, bool(challenger.surfaces), False
    rule, asks = "not worse than decayed popularity", "interval not below 0"
    why = "decayed popularity is what answers without a model"
    use = policy.judging
    for surface, found in sorted(challenger.surfaces.items()):
        gap = paired_interval(
            found.ndcg, found.popularity, found.user, seed=use.seed, resamples=use.resamples
        )
        if not gap.users:
            rulings.append(_unasked(rule, surface, gap, 0.0, why))
            continue
        asked, few = True, gap.users < use.minimum_users
        holds = None if few else not gap.high < 0
        of = f"{asks} of at least {use.minimum_users} listeners, found {gap.users}" if few else asks
        rulings.append(judged(Kind.PRIMARY, rule, surface, gap, 0.0, holds=holds, asks=of, why=why))
        better |= gap.mean > 0 or (few and gap.mean > -_ROUNDING)
        same &= np.array_equal(found.ndcg, found.popularity, equal_nan=True)
    if not asked:
        rulings.append(
            _premise("a surface was judged", "nobody asked on the test days", Outcome.FAILS)
        )
    return [*rulings, _any(_ABOVE, better or same, why)]


def _unasked(rule: str, surface: str, gap: Interval, threshold: float, why: str) -> Ruling:
    asks = "somebody who asks and then plays"
    return judged(Kind.PRIMARY, rule, surface, gap, threshold, holds=None, asks=asks, why=why)


def _check_same_requests(challenger: Evidence, champion: Evidence) -> None:
    for surface in sorted(set(challenger.surfaces) & set(champion.surfaces)):
        ours, theirs = challenger.surfaces[surface], champion.surfaces[surface]
        if ours.request_keys != theirs.request_keys:
            raise GateError(
                f"expected challenger and champion to be judged on the same {surface} requests, "
                f"found {len(ours.request_keys)} and {len(theirs.request_keys)} that differ; "
                "run `segue run train` again"
            )


def _later(challenger: Evidence, champion: Evidence, policy: Policy) -> list[Ruling]:
    """Against the champion: the primary metric, then what it may not cost."""
    rulings = _primary(challenger, champion, policy)
    rulings += [
        Ruling(
            Kind.PRIMARY,
            "keeps every surface",
            surface,
            Outcome.FAILS,
            f"the challenger answers no {surface} request",
            "yes",
            "a surface that the champion answers is in use",
        )
        for surface in sorted(set(champion.surfaces) - set(challenger.surfaces))
    ]
    for surface in sorted(set(challenger.surfaces) & set(champion.surfaces)):
        pair = challenger.surfaces[surface], champion.surfaces[surface]
        rulings += guardrails(surface, *pair, policy)
        rulings += floors(surface, *pair, policy)
    return rulings


def _primary(challenger: Evidence, champion: Evidence, policy: Policy) -> list[Ruling]:
    rule, primary, use = "not worse than the champion", policy.primary, policy.judging
    rulings, better = [], False
    age = (date.fromisoformat(challenger.as_of) - date.fromisoformat(champion.as_of)).days
    for surface in sorted(set(challenger.surfaces) & set(champion.surfaces)):
        ours, theirs = challenger.surfaces[surface], champion.surfaces[surface]
        gap = paired_interval(
            ours.ndcg, theirs.ndcg, ours.user, seed=use.seed, resamples=use.resamples
        )
        enough = gap.users >= use.minimum_users
        asks = f"interval above {-primary.margin:g}"
        if not enough:
            asks += f" of at least {use.minimum_users} listeners, found {gap.users}"
        holds = gap.low > -primary.margin if enough else None
        rulings.append(
            judged(
                Kind.PRIMARY,
                rule,
                surface,
                gap,
                -primary.margin,
                holds=holds,
                asks=asks,
                why=primary.reason,
            )
        )
        better |= enough and gap.low > 0
    if all(one.outcome is Outcome.NOT_JUDGED for one in rulings):
        return [*rulings, _too_few(rulings, age, policy)]
    if not better and age >= primary.old_after_days:
        text = f"on none, but the champion is {age} days older than the challenger"
        asks = f"yes, or a champion at least {primary.old_after_days} days older"
        held = Ruling(Kind.PRIMARY, _BETTER, "all", Outcome.HOLDS, text, asks, primary.reason)
        return [*rulings, held]
    return [*rulings, _any(_BETTER, better, primary.reason)]


def _too_few(rulings: list[Ruling], age: int, policy: Policy) -> Ruling:
    """Nothing was judged: the champion stays, unless it is old and no mean says that it is better."""
    rule, primary = "a surface was judged", policy.primary
    means = [one.figure for one in rulings if one.figure is not None]
    if age >= primary.old_after_days and means and min(means) >= -primary.margin:
        text = f"too few to judge, and the champion is {age} days older"
        asks = f"yes, or a champion at least {primary.old_after_days} days older and no mean below "
        asks += f"{-primary.margin:g}"
        why = policy.judging.reason
        return Ruling(Kind.PREMISE, rule, "all", Outcome.HOLDS, text, asks, why)
    return _premise(rule, "too few listeners asked on the test days", Outcome.FAILS)
