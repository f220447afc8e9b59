"""Evidence by hand, shared by the tests of the gate."""

from dataclasses import replace

import numpy as np

from ml.registry.decision import Decision, Outcome
from ml.registry.evidence import Evidence, Invariant, SurfaceEvidence
from ml.registry.gate import decide
from ml.registry.policy import Invariants, Policy, shipped_policy

LISTENERS = 40
FIRST_TEST_DAY = "2025-12-30"
KEPT = {name: Invariant(True, "held") for name in Invariants.model_fields}


def scores(
    ndcg: float | list[float], popularity: float = 0.1, requests: int = LISTENERS
) -> SurfaceEvidence:
    """The same score for every request, or alternating ones; a request a listener."""
    return SurfaceEvidence(
        tuple(f"r{number}" for number in range(requests)),
        np.arange(requests, dtype=np.int32),
        np.resize(np.asarray(ndcg, dtype=np.float64), requests),
        np.full(requests, popularity),
    )


def with_measure(found: SurfaceEvidence, name: str, value: float | list[float]) -> SurfaceEvidence:
    """The same with a guardrail's figure at every request."""
    size = len(found.user)
    return replace(found, measures={name: np.resize(np.asarray(value, np.float64), size)})


def with_slice(found: SurfaceEvidence, name: str, value: list[float]) -> SurfaceEvidence:
    """The same with NDCG@10 on a slice."""
    size = len(found.user)
    return replace(found, slices={name: np.resize(np.asarray(value, np.float64), size)})


def model(version: str, as_of: str = "2025-12-01", **surfaces: SurfaceEvidence) -> Evidence:
    """A model that keeps every invariant."""
    return Evidence(version, as_of, surfaces, KEPT)


def decided(
    challenger: Evidence, champion: Evidence | None = None, policy: Policy | None = None
) -> Decision:
    """The decision by the shipped policy."""
    return decide(challenger, champion, policy or shipped_policy(), FIRST_TEST_DAY)


def failed(decision: Decision) -> list[tuple[str, str]]:
    """(rule, surface) of every rule that does not hold."""
    return [(one.rule, one.surface) for one in decision.of(Outcome.FAILS)]


def outcome(decision: Decision, rule: str, surface: str = "home") -> Outcome:
    """What came of the one rule."""
    [found] = [one for one in decision.rulings if (one.rule, one.surface) == (rule, surface)]
    return found.outcome
