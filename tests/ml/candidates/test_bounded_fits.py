"""However long the history, what the session models learn from is bounded: the latest of it."""

import numpy as np

from ml.candidates.session_item_item import session_neighbours
from ml.candidates.transitions import transition_matrix
from tests.ml.candidates.test_suffix import log_of

# Three sessions, oldest first, that share no track.
LOG = log_of([0, 1], [2, 3], [4, 5], tracks=6)


def test_transitions_learn_from_the_latest_streams() -> None:
    matrix = transition_matrix(LOG, most=4)
    assert list(np.diff(matrix.indptr)) == [0, 0, 1, 1, 1, 1]
    assert list(np.diff(transition_matrix(LOG).indptr)) == [1] * 6


def test_a_session_cut_in_two_counts_with_what_is_left_of_it() -> None:
    assert list(np.diff(transition_matrix(LOG, most=3).indptr)) == [0, 0, 0, 0, 1, 1]


def test_neighbours_learn_from_the_latest_sessions() -> None:
    assert list(np.diff(session_neighbours(LOG, most=1).indptr)) == [0, 0, 0, 0, 1, 1]
    assert list(np.diff(session_neighbours(LOG).indptr)) == [1] * 6
