"""The short way to XGBoost gives the bits of the long one."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from ml.ranking.quick import PredictionError, predict


@pytest.fixture(scope="module")
def rows() -> NDArray[np.float32]:
    drawn = np.random.default_rng(1).normal(size=(300, 6)).astype(np.float32)
    drawn[::3, 2] = np.nan
    return drawn


@pytest.fixture(scope="module")
def booster(rows: NDArray[np.float32]) -> xgboost.Booster:
    grade = (np.nan_to_num(rows).sum(axis=1) > 0).astype(np.float32)
    matrix = xgboost.DMatrix(rows, grade, qid=np.arange(300) // 30)
    return xgboost.train({"objective": "rank:ndcg", "nthread": 1, "max_depth": 3}, matrix, 8)


@pytest.mark.parametrize("size", [1, 64, 300])
def test_rows_laid_out_either_way_get_the_bits_of_inplace_predict(
    booster: xgboost.Booster, rows: NDArray[np.float32], size: int
) -> None:
    wanted = booster.inplace_predict(rows[:size])
    assert len(np.unique(wanted)) > size // 20
    for laid in (rows[:size], np.asfortranarray(rows)[:size], rows[:, ::-1][:size, ::-1]):
        found = predict(booster, laid)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


def test_a_later_prediction_leaves_an_earlier_one_alone(
    booster: xgboost.Booster, rows: NDArray[np.float32]
) -> None:
    first = predict(booster, rows[:100])
    before = first.copy()
    predict(booster, rows[100:])
    np.testing.assert_array_equal(first, before)


def test_threads_do_not_take_each_others_rows(
    booster: xgboost.Booster, rows: NDArray[np.float32]
) -> None:
    parts = [rows[start : start + 20] for start in range(0, 300, 20)] * 10
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda part: predict(booster, part), parts))
    wanted = booster.inplace_predict(rows)
    np.testing.assert_array_equal(np.concatenate(found), np.tile(wanted, 10))


def test_rows_of_another_width_are_refused(
    booster: xgboost.Booster, rows: NDArray[np.float32]
) -> None:
    with pytest.raises(PredictionError, match="expected a prediction, found"):
        predict(booster, rows[:, :4])
