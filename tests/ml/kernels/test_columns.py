"""Columns that are copied, spread and counted, by hand."""

import numpy as np
import pytest

from ml.kernels.columns import habits, sources, turned

NAN = np.nan
# What habits are made of, in the kernel's order: a column each, one listener.
TOLD = np.array([[3], [1], [5], [2], [1], [4], [2], [8], [6], [3], [12]], np.float32)


def floats(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_sources_bring_scores_and_ranks_and_are_counted() -> None:
    score, rank = floats([0.5, NAN, 0.1], [NAN, NAN, 0.2]), floats([1, NAN, 4], [NAN, NAN, 2])
    out = np.empty((7, 3), np.float32)
    sources(score, rank, out)
    np.testing.assert_array_equal(out[:4], [score[0], rank[0], score[1], rank[1]])
    assert out[4].tolist() == [1, 0, 2]
    assert out[5].tolist() == pytest.approx([1 / 61, 0, 1 / 64 + 1 / 62])
    assert out[6].tolist() == [1, np.inf, 2]


def test_without_sources_nothing_is_counted() -> None:
    out = np.empty((3, 1), np.float32)
    sources(np.empty((0, 1), np.float32), np.empty((0, 1), np.float32), out)
    assert out.ravel().tolist() == [0, 0, np.inf]


def test_a_listeners_habits_stand_in_all_rows_of_the_request() -> None:
    out = np.empty((8, 3), np.float32)
    user, request = np.array([-1, 0], np.int32), np.array([0, 1, 1], np.int32)
    habits(TOLD, np.arange(11), user, request, out)
    assert np.isnan(out[:, 0]).all()
    wanted = [np.log(4), np.log(2), 5, 3 / 2, 1 / 4, 2 / 8, 6 / 8, 3 / 12]
    assert out[:, 1].tolist() == pytest.approx(wanted)
    np.testing.assert_array_equal(out[:, 1], out[:, 2])


def test_a_listener_beyond_the_last_has_no_habits() -> None:
    out = np.empty((8, 1), np.float32)
    habits(TOLD, np.arange(11), np.ones(1, np.int32), np.zeros(1, np.int32), out)
    assert np.isnan(out).all()


def test_rows_of_a_table_become_columns() -> None:
    out = np.empty((2, 3), np.float32)
    turned(floats([1, 2], [3, 4]), np.array([1, 0, 1], np.int32), out)
    assert out.tolist() == [[3, 1, 3], [4, 2, 4]]
