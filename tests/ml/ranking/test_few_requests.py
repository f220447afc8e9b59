"""Where few ask, each request keeps more of what was proposed, and a ranker is not stopped by chance."""

from datetime import date

import numpy as np
import pytest

from ml.evaluation.splits import Windows
from ml.ranking.features import FeatureMatrix
from ml.ranking.model import LabelledMatrix, RankerParameters, train_ranker
from ml.ranking.training import Sampling, TrainingPlan

ROWS = 10


@pytest.mark.parametrize(
    ("requests", "negatives"), [(1_200, 30), (600, 60), (25, 1_440), (0, 36_000)]
)
def test_the_rows_of_a_day_are_shared_by_its_requests(requests: int, negatives: int) -> None:
    assert Sampling().negatives_of(requests) == negatives


def test_more_requests_than_usual_have_no_fewer_negatives() -> None:
    assert Sampling().negatives_of(5_000) == 30


def test_a_single_validation_day_gives_the_requests_of_two() -> None:
    found = {days: Sampling().requests("validation", days) for days in (1, 2, 10)}
    assert found == {1: 1_200, 2: 600, 10: 600}
    assert [Sampling().requests(split, 1) for split in ("train", "test")] == [1_200, 1_500]


def test_only_training_leaves_candidates_out() -> None:
    plan = TrainingPlan(date(2026, 3, 10), Windows((), (), ()), 7, Sampling())
    found = {split: plan.negatives(split, 600) for split in ("train", "validation", "test")}
    assert found == {"train": 60, "validation": None, "test": None}


def matrix(requests: int, liked: int, seed: int) -> LabelledMatrix:
    """The only feature says which row is `liked` in training; elsewhere it says nothing."""
    draw = np.random.default_rng(seed)
    values = draw.random((requests * ROWS, 1), dtype=np.float32)
    grade = np.zeros(requests * ROWS, np.int8)
    best = values.reshape(requests, ROWS).argmax(axis=1) if liked else np.zeros(requests, np.int64)
    grade[np.arange(requests) * ROWS + best] = 2
    request = np.repeat(np.arange(requests, dtype=np.int32), ROWS)
    return LabelledMatrix(FeatureMatrix(("track_x",), values), request, grade)


def test_a_ranker_keeps_its_least_rounds_though_its_first_was_best_by_chance() -> None:
    parameters = RankerParameters(threads=1, rounds=80, early_stopping=5, min_child_weight=0.0)
    assert parameters.least_rounds(3) == 20
    ranker = train_ranker(matrix(40, 1, 1), matrix(3, 0, 2), parameters)
    assert 20 <= ranker.booster.num_boosted_rounds() < 80


def test_faster_learning_has_to_last_for_fewer_rounds() -> None:
    slow, fast = RankerParameters(), RankerParameters(learning_rate=0.2)
    assert (slow.least_rounds(24), fast.least_rounds(24)) == (100, 25)
    assert slow.least_rounds(100) == 5
