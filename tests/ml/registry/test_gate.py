"""The gate's rules one by one, on evidence of forty listeners with one request each."""

from dataclasses import replace

import numpy as np
import pytest

from ml.registry.gate import Decision, Evidence, GateError, GatePolicy, SurfaceEvidence, decide

LISTENERS = 40
FIRST_TEST_DAY = "2025-12-30"


def scores(
    ndcg: float | list[float], popularity: float = 0.1, requests: int = LISTENERS
) -> SurfaceEvidence:
    """The same score for every request, or alternating ones."""
    return SurfaceEvidence(
        tuple(f"r{number}" for number in range(requests)),
        np.arange(requests, dtype=np.int32),
        np.resize(np.asarray(ndcg, dtype=np.float64), requests),
        np.full(requests, popularity),
    )


def model(version: str, as_of: str = "2025-12-01", **surfaces: SurfaceEvidence) -> Evidence:
    return Evidence(version, as_of, surfaces)


def decided(challenger: Evidence, champion: Evidence | None = None) -> Decision:
    return decide(challenger, champion, GatePolicy(), FIRST_TEST_DAY)


def failed(decision: Decision) -> list[tuple[str, str]]:
    """(rule, surface) of every rule that does not hold."""
    return [(reason.rule, reason.surface) for reason in decision.reasons if not reason.passed]


def test_a_first_model_must_beat_popularity_on_a_surface() -> None:
    assert decided(model("new", home=scores(0.5))).promote
    even = scores([0.2, 0.0])
    decision = decided(model("new", home=even))
    assert not decision.promote
    assert failed(decision) == [("beats decayed popularity on a surface, or is it", "all")]


def test_a_first_model_that_is_decayed_popularity_itself_serves() -> None:
    """Validation left every surface to it; answers fall back to it anyway."""
    assert decided(model("new", home=scores(0.1), now_playing=scores(0.1))).promote


def test_a_first_model_shown_worse_than_popularity_on_a_surface_is_refused() -> None:
    decision = decided(model("new", home=scores(0.5), now_playing=scores(0.05)))
    assert not decision.promote
    assert failed(decision) == [("not worse than decayed popularity", "now_playing")]


def test_a_first_model_that_may_be_as_good_as_popularity_on_a_surface_is_let_through() -> None:
    """One listener in ten gains 0.9 and nine lose 0.1: a mean of zero, an interval around it."""
    unsure = scores([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    decision = decided(model("new", home=scores(0.5), now_playing=unsure))
    gap = {reason.surface: reason.interval for reason in decision.reasons}["now_playing"]
    assert gap.low < 0 < gap.high
    assert decision.promote


def test_a_first_model_that_nobody_asked_is_not_promoted() -> None:
    decision = decided(model("new"))
    assert not decision.promote
    assert decision.reasons[0].text == "nobody asked on the test days"


def test_requests_with_nothing_relevant_are_no_evidence() -> None:
    assert not decided(model("new", home=scores(float("nan")))).promote


def test_a_challenger_may_lose_a_little_on_one_surface_when_it_gains_on_another() -> None:
    champion = model("old", home=scores(0.5), now_playing=scores(0.5))
    challenger = model("new", home=scores(0.499), now_playing=scores(0.6))
    assert decided(challenger, champion).promote


def test_a_challenger_that_loses_more_than_the_margin_is_refused_whatever_it_gains() -> None:
    champion = model("old", home=scores(0.5), now_playing=scores(0.5))
    decision = decided(model("new", home=scores(0.49), now_playing=scores(0.9)), champion)
    assert not decision.promote
    assert failed(decision) == [("not worse than the champion", "home")]


def test_a_challenger_that_is_only_as_good_changes_nothing() -> None:
    decision = decided(model("new", home=scores(0.5)), model("old", home=scores(0.5)))
    assert not decision.promote
    assert failed(decision) == [("better on a surface", "all")]


def test_a_challenger_may_not_give_a_surface_up() -> None:
    champion = model("old", home=scores(0.5), now_playing=scores(0.5))
    decision = decided(model("new", home=scores(0.9)), champion)
    assert not decision.promote
    assert failed(decision) == [("keeps every surface", "all")]


def test_the_champion_itself_is_no_challenger() -> None:
    same = model("old", home=scores(0.5))
    decision = decided(replace(same, as_of="2025-11-01"), same)
    assert not decision.promote
    assert decision.reasons[0].rule == "it is another model"


def test_a_champion_trained_up_to_the_first_test_day_has_not_seen_it() -> None:
    champion = model("old", as_of=FIRST_TEST_DAY, home=scores(0.4))
    assert decided(model("new", home=scores(0.5)), champion).promote


def test_evidence_on_other_requests_is_refused() -> None:
    with pytest.raises(GateError, match=r"same home requests.*run `segue run train` again"):
        decided(model("new", home=scores(0.5)), model("old", home=scores(0.5, requests=39)))


def test_the_same_evidence_gives_the_same_decision() -> None:
    challenger = model("new", home=scores([0.5, 0.2, 0.9]))
    champion = model("old", home=scores([0.4, 0.3, 0.6]))
    assert decided(challenger, champion) == decided(challenger, champion)


def test_the_decision_says_what_each_rule_asks_and_finds() -> None:
    decision = decided(model("new", home=scores(0.6)), model("old", home=scores(0.5)))
    text = decision.to_markdown()
    assert "**Promote**: challenger `new` against champion `old`" in text
    assert (
        "| not worse than the champion | home | 0.1000 [0.1000, 0.1000] | interval above -0.002 | yes |"
        in text
    )
    assert decision.to_dict()["reasons"][0]["mean"] == pytest.approx(0.1)
