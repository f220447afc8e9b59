"""The walk down a booster's trees gives the bits of XGBoost."""

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from ml.ranking.forest import ForestError, forest_of


@pytest.fixture(scope="module")
def rows() -> NDArray[np.float32]:
    drawn = np.random.default_rng(1).normal(size=(300, 6)).astype(np.float32)
    drawn[::3, 2] = np.nan
    drawn[::4, 4] = np.nan
    return drawn


def grown(rows: NDArray[np.float32], **parameters: object) -> xgboost.Booster:
    grade = (np.nan_to_num(rows).sum(axis=1) > 0).astype(np.float32)
    matrix = xgboost.DMatrix(rows, grade, qid=np.arange(300) // 30)
    told = {"objective": "rank:ndcg", "nthread": 1, "max_depth": 5, **parameters}
    return xgboost.train(told, matrix, 12)


@pytest.mark.parametrize("size", [1, 63, 64, 65, 300])
@pytest.mark.parametrize("base", [{}, {"base_score": 0.25}])
def test_rows_laid_out_either_way_get_the_bits_of_inplace_predict(
    rows: NDArray[np.float32], size: int, base: dict[str, float]
) -> None:
    booster = grown(rows, **base)
    wanted = booster.inplace_predict(rows[:size])
    assert len(np.unique(wanted)) > size // 20
    forest = forest_of(booster)
    for laid in (rows[:size], np.asfortranarray(rows)[:size], rows[:, ::-1][:size, ::-1]):
        found = forest.predict(laid)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


def test_what_is_missing_goes_both_ways(rows: NDArray[np.float32]) -> None:
    """Where rows without a value are graded like the largest, they go right, and left where like the smallest."""
    booster = grown(rows)
    nothing = np.full((2, 6), np.nan, dtype=np.float32)
    np.testing.assert_array_equal(
        forest_of(booster).predict(nothing), booster.inplace_predict(nothing)
    )
    told = booster.trees_to_dataframe()
    splits = told[told["Feature"] != "Leaf"]
    assert set(splits["Missing"] == splits["Yes"]) == {True, False}


def test_one_leaf_is_a_tree(rows: NDArray[np.float32]) -> None:
    booster = grown(rows, min_child_weight=1e9)
    np.testing.assert_array_equal(forest_of(booster).predict(rows), booster.inplace_predict(rows))


def test_rows_of_another_width_are_refused(rows: NDArray[np.float32]) -> None:
    with pytest.raises(ForestError, match="expected rows of 6 features, found 4"):
        forest_of(grown(rows)).predict(rows[:, :4])


def test_what_is_no_tree_is_refused(rows: NDArray[np.float32]) -> None:
    with pytest.raises(ForestError, match="expected trees of one output"):
        forest_of(grown(rows, booster="gblinear", objective="reg:squarederror"))
