"""Columns decay, pairs are found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.state.columns import Columns, PairTable


def pairs(rows: dict[int, list[int]], users: int, items: int) -> PairTable:
    counts = [len(rows.get(user, [])) for user in range(users)]
    item = np.array([i for user in range(users) for i in sorted(rows.get(user, []))], np.int32)
    values = np.arange(len(item), dtype=np.float32)[None, :]
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return PairTable(indptr, item, Columns(("plays",), values), items)


def test_a_half_life_halves_an_age_grows_and_a_count_stays():
    columns = Columns(
        ("plays", "streams_h3", "last_played_age"),
        np.array([[4.0], [8.0], [1.5]], dtype=np.float32),
    )
    later = columns.later(3)
    assert later["plays"][0] == 4.0
    assert later["streams_h3"][0] == 4.0
    assert later["last_played_age"][0] == 4.5


def test_zero_days_later_is_the_same_object():
    columns = Columns(("plays",), np.ones((1, 1), dtype=np.float32))
    assert columns.later(0) is columns


def test_a_wrong_number_of_names_is_refused():
    with pytest.raises(ValueError, match="2 names for 1 columns"):
        Columns(("a", "b"), np.zeros((1, 3), dtype=np.float32))


@given(
    st.dictionaries(
        st.integers(0, 4), st.lists(st.integers(0, 9), unique=True, max_size=10), max_size=5
    ),
    st.lists(st.tuples(st.integers(-1, 6), st.integers(-1, 9)), min_size=1, max_size=30),
)
def test_find_agrees_with_a_dictionary(rows, sought):
    table = pairs(rows, users=5, items=10)
    expected = {}
    for user in range(5):
        for item in sorted(rows.get(user, [])):
            expected[user, item] = len(expected)
    users = np.array([user for user, _ in sought], dtype=np.int32)
    items = np.array([item for _, item in sought], dtype=np.int32)
    assert table.find(users, items).tolist() == [expected.get(pair, -1) for pair in sought]


def test_take_lists_the_pairs_of_users_in_order_and_none_of_unknown_ones():
    table = pairs({0: [2], 2: [1, 3]}, users=3, items=5)
    owner, position = table.take(np.array([2, -1, 0], dtype=np.int32))
    assert owner.tolist() == [0, 0, 2]
    assert table.item[position].tolist() == [1, 3, 2]


def test_a_table_without_users_has_no_pairs_for_anybody() -> None:
    nobody = PairTable(
        np.zeros(1, np.int64), np.zeros(0, np.int32), Columns((), np.zeros((0, 0))), 3
    )
    owner, position = nobody.take(np.array([-1, 0], dtype=np.int32))
    assert len(owner) == len(position) == 0
