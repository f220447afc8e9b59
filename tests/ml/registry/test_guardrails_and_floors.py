"""What a better NDCG may not cost: each guardrail and floor holds, fails and says when it cannot judge."""

from dataclasses import replace

import numpy as np
import pytest

from ml.registry.decision import Decision, Outcome
from ml.registry.evidence import SurfaceEvidence
from ml.registry.policy import Floors, Policy, shipped_policy
from tests.ml.registry.scores import (
    decided,
    failed,
    model,
    outcome,
    scores,
    with_measure,
    with_slice,
)

FLOORS = sorted(Floors.model_fields)


def against(
    ours: SurfaceEvidence, theirs: SurfaceEvidence, policy: Policy | None = None
) -> Decision:
    """A challenger that is better by 0.1 in NDCG, whatever else it does."""
    better = replace(ours, ndcg=theirs.ndcg + 0.1)
    return decided(model("new", home=better), model("old", home=theirs), policy)


@pytest.mark.parametrize(
    ("name", "champion", "within", "beyond"),
    [
        ("novelty", 8.0, 7.75, 7.65),
        ("repeats", 0.10, 0.14, 0.16),
        ("calibration", 0.50, 0.54, 0.56),
        ("fallback", 0.0, 0.009, 0.011),
    ],
)
def test_a_guardrail_holds_within_its_margin_and_fails_beyond_it(
    name: str, champion: float, within: float, beyond: float
) -> None:
    theirs = with_measure(scores(0.5), name, champion)
    assert against(with_measure(scores(0.5), name, within), theirs).promote
    decision = against(with_measure(scores(0.5), name, beyond), theirs)
    assert not decision.promote
    assert failed(decision) == [(name, "home")]


@pytest.mark.parametrize(
    ("name", "champion", "better"),
    [("novelty", 8.0, 12.0), ("repeats", 0.3, 0.0), ("calibration", 0.5, 0.0)],
)
def test_a_guardrail_does_not_mind_the_better_side(
    name: str, champion: float, better: float
) -> None:
    theirs = with_measure(scores(0.5), name, champion)
    decision = against(with_measure(scores(0.5), name, better), theirs)
    assert outcome(decision, name) is Outcome.HOLDS


@pytest.mark.parametrize(
    ("name", "champion", "within", "beyond"),
    [("coverage", 0.40, 0.341, 0.339), ("gini", 0.80, 0.829, 0.831)],
)
def test_coverage_and_concentration_are_held_to_the_champions_value(
    name: str, champion: float, within: float, beyond: float
) -> None:
    """At least 85 % of the champion's coverage; at most 0.03 more concentrated."""
    theirs = replace(scores(0.5), totals={name: champion})
    assert against(replace(scores(0.5), totals={name: within}), theirs).promote
    decision = against(replace(scores(0.5), totals={name: beyond}), theirs)
    assert failed(decision) == [(name, "home")]


def test_a_guardrail_must_be_shown_to_hold() -> None:
    """A mean loss of 0.25 bits is within 0.3, but listeners differ so much that it may be 0.5."""
    theirs = with_measure(scores(0.5), "novelty", 8.0)
    decision = against(with_measure(scores(0.5), "novelty", [6.5, 9.0]), theirs)
    assert failed(decision) == [("novelty", "home")]


@pytest.mark.parametrize("name", FLOORS)
def test_a_floor_fails_only_where_a_slice_is_shown_to_be_below_it(name: str) -> None:
    theirs = with_slice(scores(0.5), name, [0.5])
    rule = name.replace("_", " ")
    worse = against(with_slice(scores(0.5), name, [0.4]), theirs)
    assert failed(worse) == [(rule, "home")]
    unsure = against(with_slice(scores(0.5), name, [0.0, 0.96]), theirs)
    [found] = [one for one in unsure.rulings if one.rule == rule]
    assert found.figure < found.threshold < found.high
    assert unsure.promote


def test_a_slice_with_too_few_listeners_is_not_judged_and_that_is_said() -> None:
    part = [0.0] * 10 + [float("nan")] * 30
    theirs = with_slice(scores(0.5), "new_listeners", [0.5] * 10 + [float("nan")] * 30)
    decision = against(with_slice(scores(0.5), "new_listeners", part), theirs)
    assert decision.promote
    assert outcome(decision, "new listeners") is Outcome.NOT_JUDGED
    assert "at least 30 listeners, found 10" in decision.to_markdown()
    assert "not judged" in decision.summary


def test_what_only_one_of_the_models_was_measured_on_is_not_judged() -> None:
    decision = against(scores(0.5), with_measure(scores(0.5), "novelty", 8.0))
    assert outcome(decision, "novelty") is Outcome.NOT_JUDGED
    assert outcome(decision, "coverage") is Outcome.NOT_JUDGED


def test_a_rule_that_the_policy_switches_off_is_said_to_be() -> None:
    shipped = shipped_policy()
    off = shipped.guardrails.novelty.model_copy(update={"use": False})
    guardrails = shipped.guardrails.model_copy(update={"novelty": off})
    policy = shipped.model_copy(update={"guardrails": guardrails})
    theirs = with_measure(scores(0.5), "novelty", 8.0)
    ours = with_measure(scores(0.5), "novelty", 1.0)
    assert not against(ours, theirs).promote
    decision = against(ours, theirs, policy)
    assert decision.promote
    assert outcome(decision, "novelty") is Outcome.NOT_JUDGED
    assert "use = false" in decision.to_markdown()


def test_each_surface_is_held_to_every_rule() -> None:
    good = with_measure(scores(0.5), "novelty", 8.0)
    bad = with_measure(scores(0.6), "novelty", 1.0)
    challenger = model("new", home=with_measure(scores(0.6), "novelty", 8.0), now_playing=bad)
    decision = decided(challenger, model("old", home=good, now_playing=good))
    assert failed(decision) == [("novelty", "now_playing")]
    assert np.isclose(
        [one.figure for one in decision.rulings if one.rule == "novelty"], [0.0, -7.0]
    ).all()
