"""Pairs in compressed sparse rows, by hand."""

import numpy as np

from ml.kernels.look_up import among, find

# User 0 has nothing, user 1 the items 2, 5 and 7, user 2 item 5.
INDPTR, ITEM = np.array([0, 0, 3, 4], np.int64), np.array([2, 5, 7, 5], np.int32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def test_a_pair_is_found_in_its_own_users_row_alone() -> None:
    sought = [(1, 2), (1, 5), (1, 7), (2, 5), (2, 7), (0, 5), (1, 1), (1, 6), (1, 8)]
    users, items = np.array(sought, np.int32).T.copy()
    assert find(INDPTR, ITEM, users, items).tolist() == [0, 1, 2, 3, -1, -1, -1, -1, -1]


def test_users_and_items_that_are_not_known_have_no_place() -> None:
    assert find(INDPTR, ITEM, ints(-1, 1, 3), ints(5, -1, 5)).tolist() == [-1, -1, -1]


def test_each_request_is_held_against_what_is_its_own() -> None:
    mark, found = np.zeros(4, np.int32), np.zeros(6, np.bool_)
    given = (np.array([0, 2, 2, 3], np.int64), ints(1, 3, 2))
    among(ints(0, 0, 1, 2, 2, 2), ints(1, 2, 1, 1, 2, 9), *given, mark, found)
    assert found.tolist() == [True, False, False, False, True, False]
    assert not mark.any()


def test_requests_in_no_order_are_held_against_what_is_their_own() -> None:
    found = np.zeros(3, np.bool_)
    given = (np.array([0, 1, 2], np.int64), ints(1, 3))
    among(ints(1, 0, 1), ints(3, 3, 1), *given, np.zeros(4, np.int32), found)
    assert found.tolist() == [True, False, False]
