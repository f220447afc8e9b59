"""Plays are counted on both sides of a cut."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pyarrow as pa
import pytest

from ml.state.plays import count_plays

CUT, AS_OF = date(2024, 1, 5), date(2024, 1, 7)
TRACKS = pa.array(["a", "b", "never"])


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Six listens: a on days 1 (skipped), 2 and 6, b on days 4 and 5, and one of a that is known after as_of."""
    with duckdb.connect() as found:
        found.execute("create schema intermediate")
        found.execute(
            "create table intermediate.listens as select * from (values"
            " (date '2024-01-01', 'a', 'u', false), (date '2024-01-02', 'a', 'u', true),"
            " (date '2024-01-06', 'a', 'v', true), (date '2024-01-04', 'b', 'v', true),"
            " (date '2024-01-05', 'b', 'u', true), (date '2024-01-07', 'a', 'u', true)"
            ") as listens(known_on, track_id, user_id, is_stream)"
        )
        yield found


def test_listens_before_the_cut_and_from_then_on_are_told_apart(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    found = count_plays(connection, "track_id", TRACKS, cut=CUT, as_of=AS_OF)
    assert found.before.tolist() == [2, 1, 0]
    assert found.streams.tolist() == [1, 1, 0]
    assert found.after.tolist() == [1, 1, 0]


def test_the_first_half_of_the_past_ends_at_the_middle_day(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Days 1, 2 and 4 lie before the cut; the middle one is 2."""
    found = count_plays(connection, "track_id", TRACKS, cut=CUT, as_of=AS_OF)
    assert found.is_early.tolist() == [True, False, False]


def test_listeners_are_counted_like_tracks(connection: duckdb.DuckDBPyConnection) -> None:
    found = count_plays(connection, "user_id", pa.array(["v", "u"]), cut=CUT, as_of=AS_OF)
    assert found.before.tolist() == [1, 2]
    assert found.after.tolist() == [1, 1]


def test_before_the_first_listen_nobody_was_there_early(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    found = count_plays(connection, "track_id", TRACKS, cut=date(2024, 1, 1), as_of=AS_OF)
    assert found.before.tolist() == [0, 0, 0]
    assert found.is_early.tolist() == [False, False, False]
