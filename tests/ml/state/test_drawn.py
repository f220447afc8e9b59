"""A training learns from the latest days and, where those hold too much, from some of the listeners."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from ml.state.drawn import draw, drawn_listens, drawn_pairs

AS_OF = date(2024, 1, 5)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """1,000 listeners with one listen on each of five days, the last of which is known after as_of."""
    with duckdb.connect() as found:
        found.execute("create schema intermediate")
        found.execute(
            "create table intermediate.users as select 'u' || lpad(i::varchar, 4, '0') as user_id, "
            "date '2024-01-01' as first_known_on from range(1000) as t(i)"
        )
        found.execute(
            "create table intermediate.listens as select user_id, date '2024-01-01' + d::integer as known_on "
            "from intermediate.users, range(5) as t(d)"
        )
        yield found


def test_everything_is_learned_from_where_it_fits(connection: duckdb.DuckDBPyConnection) -> None:
    drawn = draw(connection, AS_OF, latest=4_000, most=4_000, seed=7)
    assert (drawn.since, drawn.user_ids, drawn.share, drawn.listens) == (None, None, 1.0, 4_000)
    assert drawn.text() == "all listens (4,000), all listeners"
    assert drawn_listens(drawn) == ("", {})


def test_days_are_whole_and_the_latest(connection: duckdb.DuckDBPyConnection) -> None:
    drawn = draw(connection, AS_OF, latest=3_999, most=4_000, seed=7)
    assert (drawn.since, drawn.listens) == (date(2024, 1, 2), 3_000)


def test_one_day_is_left_even_where_it_holds_more(connection: duckdb.DuckDBPyConnection) -> None:
    drawn = draw(connection, AS_OF, latest=10, most=4_000, seed=7)
    assert (drawn.since, drawn.listens) == (date(2024, 1, 4), 1_000)


def test_listeners_are_drawn_by_id_with_the_share_that_fits(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    drawn = draw(connection, AS_OF, latest=4_000, most=1_000, seed=7)
    assert drawn.share == 0.25
    assert drawn.user_ids is not None
    assert 200 < len(drawn.user_ids) < 300
    assert "25.0 % drawn by id" in drawn.text()
    again = draw(connection, AS_OF, latest=4_000, most=1_000, seed=7)
    other = draw(connection, AS_OF, latest=4_000, most=1_000, seed=8)
    assert drawn.user_ids.equals(again.user_ids)
    assert not drawn.user_ids.equals(other.user_ids)


def test_a_listener_who_plays_more_is_drawn_no_sooner(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """The listeners of a draw are among those of a larger one: only the share moves the bound."""
    few = draw(connection, AS_OF, latest=4_000, most=1_000, seed=7).user_ids
    more = draw(connection, AS_OF, latest=4_000, most=2_000, seed=7).user_ids
    assert few is not None
    assert more is not None
    assert set(few.to_pylist()) < set(more.to_pylist())


def test_rows_are_held_to_the_drawn_days_and_listeners(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    drawn = draw(connection, AS_OF, latest=2_000, most=500, seed=7)
    condition, parameters = drawn_listens(drawn)
    query = f"select distinct user_id, known_on from intermediate.listens where true {condition}"
    rows = connection.execute(query, parameters).fetchall()
    assert drawn.user_ids is not None
    assert {user for user, _ in rows} == set(drawn.user_ids.to_pylist())
    assert min(day for _, day in rows) == drawn.since == date(2024, 1, 3)


def test_where_friendships_are_known_states_hold_everybody(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    without = draw(connection, AS_OF, latest=4_000, most=1_000, seed=7)
    assert drawn_pairs(without) == drawn_listens(without) != ("", {})
    connection.execute(
        "create table intermediate.friendships as select 'u0001' as user_id, 'u0002' as friend_id, "
        "date '2024-01-03' as first_known_on"
    )
    assert drawn_pairs(draw(connection, AS_OF, latest=4_000, most=1_000, seed=7)) == ("", {})
    early = draw(connection, date(2024, 1, 3), latest=2_000, most=1_000, seed=7)
    assert drawn_pairs(early) == drawn_listens(early) != ("", {})


def test_a_home_without_listens_draws_nothing_and_fails_not(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    drawn = draw(connection, date(2023, 1, 1), latest=10, most=10, seed=7)
    assert (drawn.since, drawn.user_ids, drawn.listens) == (None, None, 0)
