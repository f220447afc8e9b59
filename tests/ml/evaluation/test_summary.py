"""The table beyond accuracy: each figure by hand on lists of two tracks."""

from math import log2

import numpy as np
import pyarrow as pa
import pytest

from ml.evaluation.calibration import membership
from ml.evaluation.metrics import Lists, Truth
from ml.evaluation.summary import LISTENERS, Surroundings, beyond_table

I32 = np.int32
# Four tracks of two artists; the last one was never streamed. Two genres: tracks 0 and 1, tracks 2 and 3.
STREAMS = np.array([5, 2, 1, 0], np.float32)
GENRE = np.array([0, 0, 1, 1])
TRUTH = Truth(np.array([0, 1], I32), np.array([2, 0], I32), np.ones(2, np.int8), 2)
USER = np.array([0, 1], I32)


def lists(*rows: tuple[int, int]) -> Lists:
    request, track = np.array(rows, I32).T
    rank = np.array([1 + sum(a == b for a, _ in rows[:at]) for at, (b, _) in enumerate(rows)], I32)
    return Lists(request, track, rank)


def around(vectors: np.ndarray | None) -> Surroundings:
    # The first listener knows the first genre only; the second is not known.
    taste = np.array([[1.0, 0.0], [np.nan, np.nan]])
    return Surroundings(
        STREAMS, np.array([0, 0, 1, 1], I32), 2, vectors, membership(GENRE, 2), taste
    )


MODELS = {
    "own": lists((0, 2), (0, 0), (1, 0), (1, 1)),
    "popularity": lists((0, 0), (0, 1), (1, 0), (1, 1)),
}
HEARD = {"own": np.array([False, True, True, True]), "popularity": np.ones(4, np.bool_)}
WANTED = np.array([False, True])


def table(vectors: np.ndarray | None = None) -> pa.Table:
    return beyond_table(
        MODELS, HEARD, WANTED, TRUTH, USER, around(vectors), simple="popularity", seed=1
    )


def mean(model: str, figure: str, vectors: np.ndarray | None = None) -> float:
    rows = {(row["model"], row["figure"]): row["mean"] for row in table(vectors).to_pylist()}
    return rows[model, figure]


def test_novelty_is_the_bits_of_a_smoothed_share() -> None:
    # Shares after adding one: 6, 3, 2, 1 of 12.
    bits = [-log2(6 / 12), -log2(3 / 12), -log2(2 / 12)]
    assert mean("own", "novelty (bits)") == pytest.approx(
        ((bits[2] + bits[0]) / 2 + (bits[0] + bits[1]) / 2) / 2
    )


def test_only_what_the_simple_model_does_not_list_is_serendipity() -> None:
    # Request 0: track 2 is played and not popular, one of two. Request 1: track 0 is popular.
    assert mean("own", "serendipity") == pytest.approx(0.25)
    assert mean("popularity", "serendipity") == 0.0


def test_repeats_stand_beside_those_of_the_listeners() -> None:
    assert mean("own", "heard before") == pytest.approx(0.75)
    assert mean(LISTENERS, "heard before") == pytest.approx(0.5)


def test_a_listener_nobody_knows_has_no_miscalibration() -> None:
    row = next(
        row
        for row in table().to_pylist()
        if (row["model"], row["figure"]) == ("popularity", "genre miscalibration")
    )
    assert row["users"] == 1
    assert row["mean"] == pytest.approx(0.0)
    assert mean("own", "genre miscalibration") > 0.5


def test_coverage_and_exposure_are_of_all_lists_and_have_no_interval() -> None:
    assert mean("own", "catalogue coverage") == pytest.approx(0.75)
    assert mean("popularity", "artist exposure Gini") == pytest.approx(0.5)
    # Shown 2, 1, 1, 0 times: sum (2i - 5) x / (4 x 4) over 0, 1, 1, 2 = (-1 + 1 + 6) / 16.
    assert mean("own", "track exposure Gini") == pytest.approx(6 / 16)
    row = next(row for row in table().to_pylist() if row["figure"] == "catalogue coverage")
    assert np.isnan(row["low"])
    assert row["users"] == 0


def test_diversity_is_told_where_there_are_vectors() -> None:
    assert "intra-list diversity" not in table()["figure"].to_pylist()
    vectors = np.array([[1, 0], [0, 1], [0, 1], [1, 0]], np.float32)
    assert mean("own", "intra-list diversity", vectors) == pytest.approx(1.0)
