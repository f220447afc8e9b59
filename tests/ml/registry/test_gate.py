"""The gate's primary rule, premises and invariants, on evidence of forty listeners with one request each."""

from dataclasses import replace

import numpy as np
import pytest

from ml.registry.decision import Kind, Outcome
from ml.registry.evidence import Evidence, Invariant
from ml.registry.gate import GateError
from tests.ml.registry.scores import (
    FIRST_TEST_DAY,
    KEPT,
    LISTENERS,
    decided,
    failed,
    model,
    outcome,
    scores,
)

ABOVE = "above decayed popularity on a surface, or it itself"


def test_a_first_model_must_beat_popularity_on_a_surface() -> None:
    assert decided(model("new", home=scores(0.5))).promote
    even = scores([0.2, 0.0])
    decision = decided(model("new", home=even))
    assert not decision.promote
    assert failed(decision) == [(ABOVE, "all")]


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
    [gap] = [one for one in decision.rulings if one.surface == "now_playing"]
    assert gap.low < 0 < gap.high
    assert decision.promote


def test_a_first_model_that_nobody_asked_is_not_promoted() -> None:
    decision = decided(model("new"))
    assert not decision.promote
    assert ("a surface was judged", "all") in failed(decision)


def test_requests_with_nothing_relevant_are_no_evidence() -> None:
    decision = decided(model("new", home=scores(float("nan"))))
    assert not decision.promote
    assert outcome(decision, "not worse than decayed popularity") is Outcome.NOT_JUDGED


@pytest.mark.parametrize(
    ("ndcg", "promoted"), [(0.5, True), (0.1, True), ([0.15, 0.05], True), (0.05, False)]
)
@pytest.mark.parametrize("requests", [2, 28])
def test_a_first_model_of_few_listeners_is_let_through_by_its_mean(
    ndcg: float | list[float], promoted: bool, requests: int
) -> None:
    """Above popularity's 0.1, the same, or as good in the mean."""
    decision = decided(model("new", home=scores(ndcg, popularity=0.1, requests=requests)))
    assert decision.promote is promoted
    assert outcome(decision, "not worse than decayed popularity") is Outcome.NOT_JUDGED
    assert f"of at least 30 listeners, found {requests}" in decision.to_markdown()
    assert "nobody asked" not in decision.to_markdown()


@pytest.mark.parametrize(("ndcg", "promoted"), [(0.5, True), (0.1, True), (0.05, False)])
def test_a_home_of_one_listener_gets_a_first_champion(ndcg: float, promoted: bool) -> None:
    alone = replace(scores(ndcg), user=np.zeros(LISTENERS, np.int32))
    decision = decided(model("new", home=alone))
    assert decision.promote is promoted
    assert "(one listener)" in decision.to_markdown()


def test_a_few_listeners_do_not_show_a_first_model_worse_on_a_surface() -> None:
    few = scores(0.05, requests=29)
    assert decided(model("new", home=scores(0.5), now_playing=few)).promote


@pytest.mark.parametrize(
    ("ndcg", "as_of", "promoted"),
    [
        (0.5, "2025-12-04", True),
        (0.4985, "2025-12-04", True),
        (0.4975, "2025-12-04", False),
        (0.9, "2025-12-03", False),
    ],
)
def test_beside_an_old_champion_a_few_listeners_are_enough_where_no_mean_is_below_the_margin(
    ndcg: float, as_of: str, promoted: bool
) -> None:
    """28 days older is old, the margin is 0.002."""
    champion = model("old", as_of="2025-11-06", home=scores(0.5, requests=29))
    decision = decided(model("new", as_of=as_of, home=scores(ndcg, requests=29)), champion)
    assert decision.promote is promoted
    told = "too few to judge, and the champion is 28 days older"
    assert (told in decision.to_markdown()) is promoted


def test_beside_an_old_champion_one_surface_below_the_margin_refuses() -> None:
    few = {"home": scores(0.5, requests=29), "now_playing": scores(0.5, requests=29)}
    worse = {**few, "now_playing": scores(0.4, requests=29)}
    champion = model("old", as_of="2025-06-01", **few)
    assert decided(model("new", **few), champion).promote
    assert failed(decided(model("new", **worse), champion)) == [("a surface was judged", "all")]


def test_beside_an_old_champion_nobody_who_asks_is_not_enough() -> None:
    champion = model("old", as_of="2025-06-01", home=scores(float("nan")))
    decision = decided(model("new", home=scores(float("nan"))), champion)
    assert failed(decision) == [("a surface was judged", "all")]


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


@pytest.mark.parametrize(("as_of", "promoted"), [("2025-12-03", False), ("2025-12-04", True)])
def test_beside_an_old_champion_as_good_is_enough_from_the_stated_age_on(
    as_of: str, promoted: bool
) -> None:
    """The policy calls a champion old that is 28 days older."""
    champion = model("old", as_of="2025-11-06", home=scores(0.5))
    decision = decided(model("new", as_of=as_of, home=scores(0.4995)), champion)
    assert decision.promote is promoted
    assert ("28 days older" in decision.to_markdown()) is promoted


def test_an_old_champion_still_keeps_its_place_from_a_worse_challenger() -> None:
    champion = model("old", as_of="2025-06-01", home=scores(0.5))
    assert not decided(model("new", as_of="2026-01-01", home=scores(0.49)), champion).promote


def test_a_challenger_may_not_give_a_surface_up() -> None:
    champion = model("old", home=scores(0.5), now_playing=scores(0.5))
    decision = decided(model("new", home=scores(0.9)), champion)
    assert not decision.promote
    assert failed(decision) == [("keeps every surface", "now_playing")]


def test_a_surface_with_too_few_listeners_is_not_judged_and_that_is_said() -> None:
    few = {"home": scores(0.5), "now_playing": scores(0.5, requests=29)}
    decision = decided(
        model("new", home=scores(0.6), now_playing=scores(0.1, requests=29)), model("old", **few)
    )
    assert decision.promote
    assert outcome(decision, "not worse than the champion", "now_playing") is Outcome.NOT_JUDGED
    assert "of at least 30 listeners, found 29" in decision.to_markdown()


def test_where_no_surface_has_enough_listeners_the_champion_stays() -> None:
    decision = decided(
        model("new", home=scores(0.9, requests=29)), model("old", home=scores(0.1, requests=29))
    )
    assert failed(decision) == [("a surface was judged", "all")]


def test_the_champion_itself_is_no_challenger() -> None:
    same = model("old", home=scores(0.5))
    decision = decided(replace(same, as_of="2025-11-01"), same)
    assert not decision.promote
    assert decision.rulings[0].rule == "it is another model"


def test_a_champion_trained_up_to_the_first_test_day_has_not_seen_it() -> None:
    champion = model("old", as_of=FIRST_TEST_DAY, home=scores(0.4))
    assert decided(model("new", home=scores(0.5)), champion).promote


def test_a_champion_that_saw_the_test_days_stays() -> None:
    champion = model("old", as_of="2025-12-31", home=scores(0.1))
    decision = decided(model("new", home=scores(0.5)), champion)
    assert failed(decision) == [("the champion has not seen the test days", "all")]


def test_a_champion_that_gives_no_answers_any_more_is_no_rival() -> None:
    mute = Evidence("old", "2025-12-01", {}, cannot_answer="expected the ranker's 80 features")
    decision = decided(model("new", home=scores(0.5)), mute)
    assert decision.promote
    assert decision.champion == "old"
    assert "expected the ranker's 80 features" in decision.to_markdown()
    assert not decided(model("new", home=scores(0.05)), mute).promote


def test_evidence_on_other_requests_is_refused() -> None:
    with pytest.raises(GateError, match=r"same home requests.*run `segue run train` again"):
        decided(model("new", home=scores(0.5)), model("old", home=scores(0.5, requests=39)))


@pytest.mark.parametrize("name", sorted(KEPT))
@pytest.mark.parametrize("champion", [None, model("old", home=scores(0.4))])
def test_a_broken_invariant_blocks_whatever_the_figures(
    name: str, champion: Evidence | None
) -> None:
    broken = KEPT | {name: Invariant(False, "12 of 1000 differ")}
    decision = decided(Evidence("new", "2026-01-01", {"home": scores(0.9)}, broken), champion)
    assert not decision.promote
    assert [one.text for one in decision.broken] == ["12 of 1000 differ"]


def test_an_invariant_that_was_not_measured_blocks() -> None:
    decision = decided(Evidence("new", "2026-01-01", {"home": scores(0.9)}))
    assert {one.kind for one in decision.of(Outcome.FAILS)} == {Kind.INVARIANT}
    assert len(decision.broken) == len(KEPT)


def test_the_same_evidence_gives_the_same_decision() -> None:
    challenger = model("new", home=scores([0.5, 0.2, 0.9]))
    champion = model("old", home=scores([0.4, 0.3, 0.6]))
    assert decided(challenger, champion) == decided(challenger, champion)


def test_the_decision_says_what_each_rule_asks_finds_and_is_for() -> None:
    decision = decided(model("new", home=scores(0.6)), model("old", home=scores(0.5)))
    text = decision.to_markdown()
    assert "**Promote**: challenger `new` against champion `old`. NDCG@10 home +0.1000" in text
    row = "| not worse than the champion | home | 0.1000 [0.1000, 0.1000] | interval above -0.002 |"
    assert row in text
    [found] = [one for one in decision.to_dict()["rulings"] if one["kind"] == "primary"][:1]
    assert found["figure"] == pytest.approx(0.1)
    assert (found["low"], found["threshold"]) == (pytest.approx(0.1), -0.002)
    assert "another seed makes" in found["why"]


def test_a_refusal_names_what_failed_in_a_line() -> None:
    decision = decided(model("new", home=scores(0.1)), model("old", home=scores(0.5)))
    assert decision.summary == (
        "2 of 7 rules fail: not worse than the champion (home), better on a surface (all)"
    )
