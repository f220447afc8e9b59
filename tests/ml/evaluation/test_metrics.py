"""Metrics by hand."""

import numpy as np
import pytest

from ml.evaluation.metrics import EvaluationError, Lists, Truth, hits, per_request, per_user

I32 = np.int32


def lists(*rows: tuple[int, int, int]) -> Lists:
    """(request, track, rank) a row."""
    return Lists(*np.array(rows, I32).reshape(-1, 3).T)


def truth(requests: int, *rows: tuple[int, int]) -> Truth:
    """(request, track) a row."""
    request, track = np.array(rows, I32).reshape(-1, 2).T
    return Truth(request, track, np.ones(len(request), np.int8), requests)


def test_ndcg_is_one_when_the_only_relevant_track_stands_first() -> None:
    found = per_request(lists((0, 7, 1), (0, 8, 2)), truth(1, (0, 7)), 10)
    assert found["ndcg"].tolist() == [1.0]


def test_ndcg_of_a_hit_at_rank_two_is_the_discount_of_rank_two() -> None:
    found = per_request(lists((0, 8, 1), (0, 7, 2)), truth(1, (0, 7)), 10)
    assert found["ndcg"][0] == pytest.approx(1 / np.log2(3))
    assert found["mrr"][0] == pytest.approx(0.5)


def test_two_hits_of_three_by_hand() -> None:
    shown = lists((0, 1, 1), (0, 9, 2), (0, 2, 3))
    found = per_request(shown, truth(1, (0, 1), (0, 2), (0, 3)), 3)
    assert found["recall"][0] == pytest.approx(2 / 3)
    assert found["precision"][0] == pytest.approx(2 / 3)
    assert found["map"][0] == pytest.approx((1 / 1 + 2 / 3) / 3)
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert found["ndcg"][0] == pytest.approx((1 + 1 / 2) / ideal)


def test_map_and_ndcg_are_whole_when_all_places_are_hits_though_more_is_relevant() -> None:
    shown = lists((0, 1, 1), (0, 2, 2))
    found = per_request(shown, truth(1, (0, 1), (0, 2), (0, 3), (0, 4)), 2)
    assert found["map"][0] == found["ndcg"][0] == 1.0
    assert found["recall"][0] == 0.5


def test_graded_ndcg_weighs_a_hit_by_two_to_its_grade_less_one() -> None:
    graded = Truth(np.array([0, 0], I32), np.array([1, 2], I32), np.array([1, 3], np.int8), 1)
    found = per_request(lists((0, 1, 1), (0, 2, 2)), graded, 10, graded=True)
    assert found["ndcg"][0] == pytest.approx((1 + 7 / np.log2(3)) / (7 + 1 / np.log2(3)))


def test_a_request_without_a_list_scores_nothing() -> None:
    found = per_request(lists((0, 7, 1)), truth(2, (0, 7), (1, 7)), 10)
    assert found["ndcg"].tolist() == [1.0, 0.0]
    assert found["recall"].tolist() == [1.0, 0.0]


def test_no_lists_at_all_score_nothing() -> None:
    found = per_request(lists(), truth(2, (0, 7), (1, 7)), 10)
    assert all(values.tolist() == [0.0, 0.0] for values in found.values())


def test_a_request_without_truth_is_left_out() -> None:
    found = per_request(lists((0, 7, 1), (1, 7, 1)), truth(2, (0, 7)), 10)
    assert np.isnan(found["ndcg"][1])
    assert per_user(found["ndcg"], np.array([4, 5], I32))[0].tolist() == [4]


def test_a_relevant_track_outside_the_catalogue_is_a_miss() -> None:
    found = per_request(lists((0, 7, 1)), truth(1, (0, 7), (0, 1_000_000)), 10)
    assert found["recall"].tolist() == [0.5]
    assert found["ndcg"][0] == pytest.approx(1 / (1 + 1 / np.log2(3)))


def test_relevant_tracks_without_a_number_are_misses_and_match_no_other_request() -> None:
    # Request 1 and track -1 make the key of request 0 and the last track, were they not kept apart.
    shown = lists((0, 9, 1), (1, 3, 1))
    found = per_request(shown, truth(2, (0, 3), (1, -1), (1, -1)), 10)
    assert found["recall"].tolist() == [0.0, 0.0]
    assert hits(lists((0, -1, 1)), truth(1, (0, -1))).tolist() == [0]


def test_what_stands_below_the_cut_does_not_count() -> None:
    found = per_request(lists((0, 1, 1), (0, 7, 2)), truth(1, (0, 7)), 1)
    assert found["recall"].tolist() == [0.0]


def test_a_user_counts_once_however_often_she_asks() -> None:
    users, means = per_user(np.array([1.0, 0.0, np.nan, 1.0]), np.array([3, 3, 3, 5], I32))
    assert users.tolist() == [3, 5]
    assert means.tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("shown", "message"),
    [
        (lists((0, 1, 2), (0, 2, 1)), "row 1 out of order"),
        (lists((0, 1, 1), (0, 2, 1)), "row 1 out of order"),
        (lists((1, 1, 1), (0, 2, 1)), "row 1 out of order"),
        (lists((0, 1, 0)), "ranks from 1"),
        (lists((2, 1, 1)), "requests from 0 to 1 in the lists"),
        (lists((0, 7, 1), (0, 7, 2)), "track 7 twice in the list of request 0"),
    ],
)
def test_lists_that_would_be_misread_are_refused(shown: Lists, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        per_request(shown, truth(2, (0, 7)), 10)


def test_truth_of_requests_that_are_not_evaluated_is_refused() -> None:
    with pytest.raises(EvaluationError, match="requests from 0 to 0 in the truth"):
        per_request(lists((0, 7, 1)), truth(1, (0, 7), (1, 7)), 10)
