"""A ranker has the rounds after which it was best on validation, as XGBoost counts NDCG."""

from dataclasses import replace

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from ml.ranking.features import FeatureMatrix
from ml.ranking.model import (
    LabelledMatrix,
    Prepared,
    Ranker,
    RankerParameters,
    fit_ranker,
    prepare,
)

PARAMETERS = RankerParameters(
    threads=1, rounds=43, early_stopping=15, min_child_weight=1.0, max_depth=3
)


def drawn(seed: int) -> LabelledMatrix:
    """Sixty requests of twenty rows; the first column tells something of the grade."""
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(1_200, 4)).astype(np.float32)
    grade = (values[:, 0] + draw.normal(size=1_200) > 1.3).astype(np.int8)
    request = np.repeat(np.arange(60, dtype=np.int32), 20)
    return LabelledMatrix(FeatureMatrix(("a", "b", "c", "d"), values), request, grade)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare(drawn(1), drawn(2), PARAMETERS.max_bin)


def by_rounds(prepared: Prepared) -> NDArray[np.float64]:
    """NDCG@10 on validation after each round, as xgboost.train tells it."""
    told: dict[str, dict[str, list[float]]] = {}
    xgboost.train(
        PARAMETERS.booster_parameters(),
        prepared.train,
        PARAMETERS.rounds,
        evals=[(prepared.validation, "validation")],
        evals_result=told,
        verbose_eval=False,
    )
    return np.array(told["validation"]["ndcg@10-"])


def rounds_of(ranker: Ranker) -> int:
    return ranker.booster.num_boosted_rounds()


def test_validation_is_looked_at_first_after_the_least_rounds() -> None:
    few = [number for number in range(1, 44) if PARAMETERS.looks(number, 99)]
    many = [number for number in range(1, 44) if PARAMETERS.looks(number, 100)]
    assert few == [10, 15, 20, 25, 30, 35, 40, 43]
    assert many == [5, *few]


def test_it_has_the_rounds_that_were_best_among_those_looked_at(prepared: Prepared) -> None:
    ndcg = by_rounds(prepared)
    looked = [*range(10, 44, 5), 43]
    wanted = max(looked, key=lambda number: (round(ndcg[number - 1], 6), -number))
    patient = replace(PARAMETERS, early_stopping=43)
    assert rounds_of(fit_ranker(prepared, patient)) == wanted


def test_it_stops_when_validation_no_longer_rises(prepared: Prepared) -> None:
    ndcg = by_rounds(prepared)
    best, kept = -1.0, 0
    for number in [*range(10, 44, 5), 43]:
        if round(ndcg[number - 1], 6) > best:
            best, kept = round(ndcg[number - 1], 6), number
        elif number - kept >= 5:
            break
    hasty = replace(PARAMETERS, early_stopping=5)
    assert rounds_of(fit_ranker(prepared, hasty)) == kept
    assert kept < 40


def test_the_same_matrices_give_the_same_trees(prepared: Prepared) -> None:
    first, again = (fit_ranker(prepared, PARAMETERS) for _ in range(2))
    assert first.booster.save_raw("json") == again.booster.save_raw("json")
