"""Metrics by hand."""

import numpy as np
import pytest

from ml.evaluation.intervals import paired_interval
from ml.evaluation.metrics import Lists, Truth, per_request

I32 = np.int32


def lists(*rows: tuple[int, int, int]) -> Lists:
    request, track, rank = np.array(rows, I32).T
    return Lists(request, track, rank)


def truth(requests: int, *rows: tuple[int, int]) -> Truth:
    request, track = np.array(rows, I32).T
    return Truth(request, track, np.ones(len(request), np.int8), requests)


def test_ndcg_is_one_when_the_only_relevant_track_stands_first() -> None:
    found = per_request(lists((0, 7, 1), (0, 8, 2)), truth(1, (0, 7)), 10)
    assert found["ndcg"].tolist() == [1.0]


def test_ndcg_of_a_hit_at_rank_two_is_the_discount_of_rank_two() -> None:
    found = per_request(lists((0, 8, 1), (0, 7, 2)), truth(1, (0, 7)), 10)
    assert found["ndcg"][0] == pytest.approx(1 / np.log2(3))
    assert found["mrr"][0] == pytest.approx(0.5)


def test_a_request_without_a_list_scores_nothing() -> None:
    found = per_request(lists((0, 7, 1)), truth(2, (0, 7), (1, 7)), 10)
    assert found["ndcg"].tolist() == [1.0, 0.0]
    assert found["recall"].tolist() == [1.0, 0.0]


def test_a_request_without_truth_is_left_out() -> None:
    found = per_request(lists((0, 7, 1), (1, 7, 1)), truth(2, (0, 7)), 10)
    assert np.isnan(found["ndcg"][1])


def test_what_stands_below_the_cut_does_not_count() -> None:
    found = per_request(lists((0, 1, 1), (0, 7, 2)), truth(1, (0, 7)), 1)
    assert found["recall"].tolist() == [0.0]


def test_a_model_against_itself_has_no_advantage() -> None:
    scores, user = np.array([0.1, 0.9, 0.4]), np.array([0, 1, 2], I32)
    interval = paired_interval(scores, scores, user, seed=1)
    assert (interval.mean, interval.low, interval.high) == (0.0, 0.0, 0.0)


def test_a_model_that_always_wins_has_an_interval_above_zero() -> None:
    user = np.arange(50, dtype=I32)
    better = np.linspace(0.5, 0.9, 50)
    assert paired_interval(better, better - 0.1, user, seed=1).low > 0.09
