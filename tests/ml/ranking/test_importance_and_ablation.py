"""What the ranker rests on is found where it is known: one feature tells, the others do not."""

import numpy as np
import pyarrow.compute as pc
import pytest

from ml.evaluation.metrics import per_request
from ml.ranking.ablation import FULL, Bounds, ablation, drawn_requests
from ml.ranking.features import family
from ml.ranking.importance import PER_REQUEST, importance, sampled_rows
from ml.ranking.judging import ordered, truth_of
from ml.ranking.model import Ranker, train_ranker
from tests.ml.ranking.tiny_run import PARAMETERS, SIGNAL, examples

BOUNDS = Bounds(train_requests=60, validation_requests=50, rounds=6, resamples=200)


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    return train_ranker(examples([0, 1]).matrix(), examples([2]).matrix(), PARAMETERS)


def test_a_sample_holds_whole_rows_of_few_requests_and_no_more_than_asked() -> None:
    request = np.repeat(np.arange(10, dtype=np.int32), 30)
    rows = sampled_rows(request, 3 * PER_REQUEST, seed=1)
    assert len(rows) == 3 * PER_REQUEST
    assert np.unique(request[rows], return_counts=True)[1].tolist() == [PER_REQUEST] * 3
    assert (np.diff(rows) > 0).all()


def test_a_sample_depends_on_its_seed_alone() -> None:
    request = np.repeat(np.arange(50, dtype=np.int32), 30)
    assert (
        sampled_rows(request, 200, seed=1).tolist() == sampled_rows(request, 200, seed=1).tolist()
    )
    assert (
        sampled_rows(request, 200, seed=1).tolist() != sampled_rows(request, 200, seed=2).tolist()
    )


def test_the_feature_that_tells_comes_first(ranker: Ranker) -> None:
    table = importance(ranker, examples([4]), seed=3)
    features = table.filter(pc.is_valid(table["feature"])).to_pylist()
    assert features[0]["feature"] == SIGNAL
    assert {row["feature"] for row in features} == set(ranker.names)
    assert sum(row["gain"] for row in features) == pytest.approx(1.0)


def test_contributions_of_a_family_are_summed_before_their_size_is_taken(ranker: Ranker) -> None:
    table = importance(ranker, examples([4]), seed=3)
    families = table.filter(pc.is_null(table["feature"])).to_pylist()
    features = table.filter(pc.is_valid(table["feature"])).to_pylist()
    for row in families:
        parts = [one["contribution"] for one in features if one["family"] == row["family"]]
        assert row["contribution"] <= sum(parts) + 1e-6
        alone = [one for one in features if family(one["feature"]) == row["family"]]
        if len(alone) == 1:
            assert row["contribution"] == pytest.approx(alone[0]["contribution"])
            assert row["order"] == pytest.approx(alone[0]["order"])


def test_what_all_candidates_of_a_request_share_orders_nothing(ranker: Ranker) -> None:
    part = examples([4])
    place = part.rows.column_names.index(SIGNAL)
    same = part.rows.set_column(place, SIGNAL, [np.full(len(part.rows), 0.95, np.float32)])
    table = importance(ranker, type(part)(same, part.requests, part.truth), seed=3)
    row = next(one for one in table.to_pylist() if one["feature"] == SIGNAL)
    # Contributions vary a little with the other features of a tree's path, far less than they weigh.
    assert row["order"] < 0.2 * row["contribution"]


def test_drawn_requests_keep_all_their_rows_and_truth() -> None:
    part = drawn_requests(examples([0, 1]), 5, seed=1, positive=False)
    asked = np.unique(part.rows["request"].to_numpy())
    assert len(asked) == 5
    assert len(part.rows) == 5 * 12
    assert part.truth["request"].to_pylist() == asked.tolist()


def test_training_draws_only_requests_with_a_played_candidate() -> None:
    part = examples([0], candidates=6)
    drawn = drawn_requests(part, 1_000, seed=1, positive=True)
    hits = part.truth.filter(part.truth["is_candidate"])
    assert np.unique(drawn.rows["request"].to_numpy()).tolist() == hits["request"].to_pylist()


def test_without_the_family_that_tells_ndcg_falls_and_without_another_it_does_not() -> None:
    table = ablation(examples([0, 1]), examples([2, 3]), "home", PARAMETERS, BOUNDS).to_pylist()
    full, worst, *others = table
    assert full["family"] == FULL
    assert full["change"] == 0.0
    assert full["ndcg"] > 0.9
    assert worst["family"] == family(SIGNAL)
    assert worst["features"] == 1
    assert worst["high"] < -0.2
    assert worst["ndcg"] + -worst["change"] == pytest.approx(full["ndcg"])
    assert {row["family"] for row in others} == {
        "how it was found",
        "the track",
        "words and genres",
    }
    assert all(abs(row["change"]) < 0.1 for row in others)


def test_the_same_examples_give_the_same_table() -> None:
    tables = [ablation(examples([0]), examples([2]), "home", PARAMETERS, BOUNDS) for _ in range(2)]
    assert tables[0].equals(tables[1])


def test_the_bounds_hold_and_are_told() -> None:
    table = ablation(examples([0, 1]), examples([2, 3]), "home", PARAMETERS, BOUNDS).to_pylist()
    assert {row["train_requests"] for row in table} == {60}
    assert {row["rounds"] for row in table} == {6}
    assert all(row["users"] <= 40 for row in table)


def test_the_signal_is_needed_to_rank(ranker: Ranker) -> None:
    part = examples([4])
    lists = ordered(part, ranker.predict(part.matrix().features))
    assert per_request(lists, truth_of(part, "home"), 10)["ndcg"].mean() > 0.9
