"""What bounds the best of a row leaves none of them out."""

import numpy as np
import pytest

from ml.candidates.bounds import MARGIN, below_best, kth_best, near_best


@pytest.mark.parametrize(
    ("columns", "k"), [(40, 7), (400, 7), (400, 24), (400, 90), (400, 300), (400, 400)]
)
def test_a_bound_is_below_the_kth_best_and_near_it(columns: int, k: int) -> None:
    scores = np.random.default_rng(k).normal(size=(5, columns)).astype(np.float32)
    kth = np.sort(scores, axis=1)[:, columns - k]
    bound = below_best(scores, k)[:, 0]
    assert (bound <= kth).all()
    assert ((scores >= bound[:, None]).sum(axis=1) <= 2 * k + 16).all()


def test_the_kth_best_of_requests_of_unlike_lengths() -> None:
    request = np.array([0, 0, 0, 2, 3, 3], np.int32)
    score = np.array([0.2, 0.9, 0.5, 0.7, -1.0, 0.1], np.float32)
    np.testing.assert_array_equal(
        kth_best(4, request, score, 2), np.array([0.5, -np.inf, -np.inf, -1.0], np.float32)
    )


def test_where_all_requests_are_shorter_nothing_bounds_them() -> None:
    assert kth_best(2, np.array([1], np.int32), np.ones(1, np.float32), 2).tolist() == [-np.inf] * 2


def test_all_that_lies_within_the_margin_of_the_kth_best_stays() -> None:
    scores = np.zeros(320, np.float32)
    scores[:3] = 0.5
    scores[9] = 0.5 - MARGIN / 2
    scores[11] = 0.5 - 3 * MARGIN
    place, held = near_best(scores, 3)
    assert place.tolist() == [0, 1, 2, 9]
    np.testing.assert_array_equal(held, scores[place])
