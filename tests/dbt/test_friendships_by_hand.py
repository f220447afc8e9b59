"""Friendships are known from their day on, and both of them are listeners from then on."""

import duckdb
import numpy as np

from ml.state.read import read_state
from ml.state.state import State
from ml.tables import FRIENDSHIPS
from tests.dbt.conftest import Home, day, instant, listens_of, rows_of


def friendship(user: str, friend: str, known: int) -> dict[str, object]:
    return {"user_id": user, "friend_id": friend, "known_at": instant(known, "12:00")}


def built(home: Home, *rows: dict[str, object]) -> Home:
    listens = [
        {"user_id": "anna", "track_id": "t0", "played_at": instant(0, "09:00")},
        {"user_id": "ben", "track_id": "t1", "played_at": instant(1, "09:00")},
    ]
    home.write("listens", listens_of(*listens))
    if rows:
        home.write("friendships", rows_of(FRIENDSHIPS, list(rows)))
    home.run(day(0), day(4))
    return home


def state_on(home: Home, number: int) -> State:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return read_state(connection, day(number))


def followed(home: Home, number: int) -> list[tuple[str, str]]:
    state = state_on(home, number)
    ids = state.user_ids.to_pylist()
    pairs = state.friends.tocoo()
    return [(ids[row], ids[column]) for row, column in zip(pairs.row, pairs.col, strict=True)]


def test_a_friendship_is_known_from_the_day_after_it_arrived(home: Home) -> None:
    built(home, friendship("anna", "ben", 1), friendship("anna", "cara", 2))
    assert followed(home, 1) == []
    assert followed(home, 2) == [("anna", "ben")]
    assert followed(home, 3) == [("anna", "ben"), ("anna", "cara")]


def test_who_is_only_a_friend_is_a_listener_without_history(home: Home) -> None:
    built(home, friendship("dora", "ben", 0))
    users = home.rows("intermediate.users").to_pylist()
    assert {row["user_id"] for row in users} == {"anna", "ben", "dora"}
    state = state_on(home, 3)
    dora = state.user_ids.to_pylist().index("dora")
    assert state.users["plays"][dora] == 0
    assert state.unheard_of(np.array([dora], np.int32)).tolist() == [True]


def test_a_home_without_friendships_knows_of_none(home: Home) -> None:
    built(home)
    assert followed(home, 3) == []
    assert len(home.rows("intermediate.friendships")) == 0
