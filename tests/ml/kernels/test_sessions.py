"""Candidates beside the tracks of a session, by hand."""

import numpy as np
import pytest

from ml.kernels.sessions import relations, session_columns

NAN = np.nan
ARTIST, ALBUM = np.array([0, 0, 1, -1], np.int32), np.array([5, 6, 6, 7], np.int32)
AUDIO = np.array([[1, 10], [2, 20], [4, 40], [NAN, 80]], np.float32)
SATURDAY_SEVEN = 2 * 86_400 + 7 * 3_600


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def looked(sessions: list[list[int]], request: np.ndarray, track: np.ndarray) -> np.ndarray:
    """Ten columns of four tracks; sound in the second column, then the first; the marks are zero again."""
    ends = np.cumsum([0, *map(len, sessions)]).astype(np.int64)
    session = np.array([one for tracks in sessions for one in tracks], np.int32)
    at = np.array([SATURDAY_SEVEN, 0][: len(sessions)], np.int64)
    mark, out = np.zeros(8, np.int32), np.empty((10, len(track)), np.float32)
    named = np.array([1, 0], np.int64)
    session_columns(ends, session, at, ARTIST, ALBUM, AUDIO, named, request, track, mark, out)
    assert not mark.any()
    return out


def test_steps_go_back_to_the_latest_and_all_are_counted() -> None:
    out = looked([[0, 1, 0, 2]], ints(0, 0, 0), ints(0, 2, 3))
    assert out[0].tolist() == [4, 4, 4]
    np.testing.assert_array_equal(out[1], [1, 0, NAN])
    assert out[2].tolist() == [2, 1, 0]
    np.testing.assert_array_equal(out[3], [1, 0, NAN])
    assert out[4].tolist() == [0.75, 0.25, 0]
    np.testing.assert_array_equal(out[5], [1, 0, NAN])


def test_an_unknown_artist_is_the_same_as_no_other() -> None:
    out = looked([[3, 3]], ints(0), ints(3))
    assert out[1, 0] == 0
    assert np.isnan(out[3, 0])
    assert out[4, 0] == 0


def test_hour_and_weekend_are_those_of_the_request() -> None:
    out = looked([[0], [1]], ints(0, 1), ints(0, 0))
    assert out[6].tolist() == [7, 0]
    assert out[7].tolist() == [1, 0]


def test_sound_is_compared_with_the_last_track() -> None:
    out = looked([[0, 1], []], ints(0, 0, 1), ints(2, 3, 2))
    np.testing.assert_array_equal(out[8], [20, 60, NAN])
    np.testing.assert_array_equal(out[9], [2, NAN, NAN])


def test_an_empty_session_is_close_to_nothing() -> None:
    out = looked([[]], ints(0), ints(1))
    np.testing.assert_array_equal(out[:6, 0], [0, NAN, 0, NAN, 0, NAN])


def test_sessions_are_not_mixed() -> None:
    out = looked([[0], [1, 1, 2]], ints(0, 1), ints(1, 1))
    np.testing.assert_array_equal(out[1], [NAN, 1])
    assert out[2].tolist() == [0, 2]


@pytest.mark.parametrize("before", [[], [2]])
def test_relations_are_told_of_the_last_two_and_of_the_last_five(before: list[int]) -> None:
    """From track 0: 1 with .5, 2 with .2; from track 1: 2 with .9. The session is 0, 1 or 2, 0, 1."""
    indptr, column = ints(0, 2, 3, 3), ints(1, 2, 2)
    session = np.array([*before, 0, 1], np.int32)
    mark, out = np.zeros(3, np.int32), np.empty((4, 3), np.float32)
    matrix = (indptr, column, np.array([0.5, 0.2, 0.9], np.float32))
    ends = np.array([0, len(session)], np.int64)
    relations(*matrix, ends, session, np.zeros(3, np.int32), ints(0, 1, 2), mark, out)
    np.testing.assert_allclose(out[0], [0, 0, 0.9])
    np.testing.assert_allclose(out[1], [0, 0.5, 0.2])
    np.testing.assert_allclose(out[2], [0, 0.5, 0.9])
    assert out[3].tolist() == [0, 1, 2]
    assert not mark.any()
