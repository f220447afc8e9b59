"""One shown track with everything behind it."""

from dataclasses import replace

import numpy as np
import pytest

from ml.registry.traced import explained
from tests.ml.registry.conftest import K, Stored


def first_track(stored: Stored, surface: int) -> str:
    answer = next(stored.built.answers(stored.parts[surface], K))
    shown = answer.shown
    row = shown.row[(shown.request == 0) & (shown.rank == 1)][0]
    return str(stored.built.state.catalogue.track_ids[int(answer.pool.track[row])].as_py())


@pytest.mark.parametrize("surface", [0, 1])
def test_base_and_contributions_make_the_score(stored: Stored, surface: int) -> None:
    told = explained(stored.built, stored.parts[surface], K, first_track(stored, surface))
    total = told.base + sum(one.contribution for one in told.features)
    assert total == pytest.approx(told.score, abs=1e-5)
    assert told.base + sum(told.families.values()) == pytest.approx(told.score, abs=1e-5)


def test_families_and_features_come_largest_first(stored: Stored) -> None:
    told = explained(stored.built, stored.parts[0], K, first_track(stored, 0))
    families = [abs(value) for value in told.families.values()]
    features = [abs(one.contribution) for one in told.features]
    assert families == sorted(families, reverse=True)
    assert features == sorted(features, reverse=True)


def test_who_proposed_it_comes_first_by_rank_and_who_did_not_last(stored: Stored) -> None:
    told = explained(stored.built, stored.parts[0], K, first_track(stored, 0))
    ranks = np.array([one.rank for one in told.proposals])
    proposed = ranks[~np.isnan(ranks)]
    assert len(proposed) > 0
    assert (np.diff(proposed) >= 0).all()
    assert np.isnan(ranks[len(proposed) :]).all()
    assert len(told.proposals) == len(stored.built.surfaces["home"].sources.generators)


def test_the_values_are_the_rankers_inputs(stored: Stored) -> None:
    """u0 plays t0 to t9 once to three times each."""
    told = explained(stored.built, stored.parts[0], K, first_track(stored, 0))
    values = {one.name: one.value for one in told.features}
    ranker = stored.built.surfaces["home"].ranker
    assert values.keys() == set(ranker.names)
    assert values["source_count"] == sum(not np.isnan(one.rank) for one in told.proposals)


def test_where_a_generator_serves_there_are_no_contributions(stored: Stored) -> None:
    home = replace(stored.built.surfaces["home"], ranker=None)
    plain = replace(stored.built, surfaces={**stored.built.surfaces, "home": home})
    answer = next(plain.answers(stored.parts[0], K))
    track = int(answer.pool.track[answer.shown.row[0]])
    told = explained(plain, stored.parts[0], K, f"t{track}")
    assert (told.base, told.families, told.features) == (0.0, {}, [])


def test_a_track_that_is_not_shown_has_nothing_behind_it(stored: Stored) -> None:
    answer = next(stored.built.answers(stored.parts[0], K))
    shown = set(answer.pool.track[answer.shown.row[answer.shown.request == 0]].tolist())
    hidden = next(track for track in range(60) if track not in shown)
    assert explained(stored.built, stored.parts[0], K, f"t{hidden}") is None
