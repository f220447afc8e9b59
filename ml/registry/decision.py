"""A decision of the gate with every rule that led to it.

Belongs here: the record and its forms for people and machines. Does not belong here: the rules
(ml.registry.gate) or where records are kept (ml.registry.records).
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ml.evaluation.intervals import Interval


class Outcome(StrEnum):
    """What came of a rule. What is not judged neither holds nor fails."""

    HOLDS = "pass"
    FAILS = "fail"
    NOT_JUDGED = "not judged"


class Kind(StrEnum):
    """What a rule is to the decision."""

    PREMISE = "premise"
    INVARIANT = "invariant"
    PRIMARY = "primary"
    GUARDRAIL = "guardrail"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Ruling:
    """A rule, what was found, what it asks, why there is such a rule, and what came of it.

    `figure` with its interval `low` to `high` over `users` listeners, None where there is none;
    `threshold` as in `asks`.
    """

    kind: Kind
    rule: str
    surface: str
    outcome: Outcome
    text: str
    asks: str
    why: str
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    users: int | None = None


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def judged(
    kind: Kind,
    rule: str,
    surface: str,
    interval: Interval,
    threshold: float,
    *,
    holds: bool | None,
    asks: str,
    why: str,
) -> Ruling:
    """The ruling on an interval; `holds` None = not judged, whose reason `asks` states."""
    outcome = Outcome.NOT_JUDGED if holds is None else Outcome.HOLDS if holds else Outcome.FAILS
    numbers = [_number(value) for value in (interval.mean, interval.low, interval.high)]
    figure, low, high = numbers
    return Ruling(
        kind,
        rule,
        surface,
        outcome,
        interval.text(),
        asks,
        why,
        figure,
        low,
        high,
        threshold,
        interval.users,
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict with everything that led to it; `champion` None = nothing served."""

    challenger: str
    champion: str | None
    promote: bool
    rulings: tuple[Ruling, ...]

    def of(self, outcome: Outcome) -> tuple[Ruling, ...]:
        """The rulings with an outcome."""
        return tuple(one for one in self.rulings if one.outcome is outcome)

    @property
    def broken(self) -> tuple[Ruling, ...]:
        """Invariants that do not hold: a fault, not a weak model."""
        return tuple(one for one in self.of(Outcome.FAILS) if one.kind is Kind.INVARIANT)

    @property
    def summary(self) -> str:
        """The decision in a line: what it is better at, or what failed."""
        passed, failed = len(self.of(Outcome.HOLDS)), self.of(Outcome.FAILS)
        unjudged = len(self.of(Outcome.NOT_JUDGED))
        counts = f"{passed} rules hold" + (f", {unjudged} not judged" if unjudged else "")
        if failed:
            named = ", ".join(dict.fromkeys(f"{one.rule} ({one.surface})" for one in failed))
            return f"{len(failed)} of {passed + len(failed)} rules fail: {named}"
        gains = [
            f"{one.surface} {one.figure:+.4f}"
            for one in self.rulings
            if one.kind is Kind.PRIMARY and one.figure is not None
        ]
        return f"NDCG@10 {', '.join(gains)}; {counts}" if gains else counts

    def to_markdown(self) -> str:
        """The decision as tables under its verdict: what failed, what was not judged, what holds."""
        verdict = "Promote" if self.promote else "Not promoted"
        rival = f"champion `{self.champion}`" if self.champion else "no champion"
        lines = [
            f"**{verdict}**: challenger `{self.challenger}` against {rival}. {self.summary}.",
            "",
            "| outcome | kind | rule | surface | found | asks for | why |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        order = (Outcome.FAILS, Outcome.NOT_JUDGED, Outcome.HOLDS)
        lines += [
            f"| {one.outcome} | {one.kind} | {one.rule} | {one.surface} | {one.text} | {one.asks} "
            f"| {' '.join(one.why.split())} |"
            for outcome in order
            for one in self.of(outcome)
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """The decision for JSON."""
        return {
            "challenger": self.challenger,
            "champion": self.champion,
            "promote": self.promote,
            "summary": self.summary,
            "rulings": [{**asdict(one), "why": " ".join(one.why.split())} for one in self.rulings],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Decision":
        """The decision that `to_dict` stored."""
        rulings = tuple(
            Ruling(**{**one, "kind": Kind(one["kind"]), "outcome": Outcome(one["outcome"])})
            for one in stored["rulings"]
        )
        return cls(stored["challenger"], stored["champion"], bool(stored["promote"]), rulings)
