"""A listener is of the country that was known last before the day."""

from datetime import date

import duckdb
import pyarrow as pa
import pytest

from ml.state.countries import read_countries

USERS = pa.array(["ann", "ben", "cleo", "dan"], pa.string())


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    """Ann moves from Norway to Austria on 5 March; Ben says nothing; Cleo is of Austria from 5 March on;
    Dan takes back what he said."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("create schema staging")
    connection.execute(
        """
        create table staging.users as
        select user_id, country, null::integer as birth_year, null::date as signed_up_on,
            known_at::timestamptz as known_at
        from (values
            ('ann', 'NO', '2026-03-01 12:00:00+00'), ('ann', 'AT', '2026-03-05 00:00:00+00'),
            ('ben', ' ', '2026-03-01 12:00:00+00'), ('cleo', 'AT', '2026-03-05 00:00:00+00'),
            ('dan', 'NO', '2026-03-01 12:00:00+00'), ('dan', null, '2026-03-05 00:00:00+00'),
            ('eve', 'ZA', '2026-03-01 12:00:00+00')
        ) as given(user_id, country, known_at)
        """
    )
    return connection


def test_what_is_learned_on_the_day_is_not_known_yet(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert read_countries(warehouse, USERS, date(2026, 3, 5)).tolist() == [0, -1, -1, 0]


def test_the_latest_version_counts(warehouse: duckdb.DuckDBPyConnection) -> None:
    """The codes count the countries' names: Austria before Norway."""
    assert read_countries(warehouse, USERS, date(2026, 3, 6)).tolist() == [0, -1, 0, -1]


def test_a_home_that_knows_no_country_has_none(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert not len(read_countries(warehouse, USERS, date(2026, 3, 1)))
    strangers = pa.array(["nobody"], pa.string())
    assert not len(read_countries(warehouse, strangers, date(2026, 3, 6)))
