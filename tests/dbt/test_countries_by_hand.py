"""A listener is of the country told last before the day, whatever was told since."""

import duckdb

from ml.state.read import read_state
from ml.tables import USERS
from tests.dbt.conftest import Home, day, instant, listens_of, rows_of


def profile(user: str, country: str | None, known: int) -> dict[str, object]:
    return {"user_id": user, "country": country, "known_at": instant(known, "12:00")}


def built(home: Home, *rows: dict[str, object]) -> Home:
    home.write(
        "listens", listens_of({"user_id": "anna", "track_id": "t0", "played_at": instant(0)})
    )
    if rows:
        home.write("users", rows_of(USERS, list(rows)))
    home.run(day(0), day(4))
    return home


def countries(home: Home, number: int) -> dict[str, int]:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        state = read_state(connection, day(number))
    return dict(zip(state.user_ids.to_pylist(), state.country.tolist(), strict=False))


def test_a_move_counts_from_the_day_after_it_was_told(home: Home) -> None:
    built(home, profile("anna", "NO", 0), profile("ben", "AT", 0), profile("anna", "AT", 2))
    assert countries(home, 2) == {"anna": 1, "ben": 0}
    assert countries(home, 3) == {"anna": 0, "ben": 0}


def test_who_tells_no_country_is_of_none(home: Home) -> None:
    built(home, profile("ben", None, 0), profile("cara", "AT", 0))
    assert countries(home, 2) == {"anna": -1, "ben": -1, "cara": 0}


def test_a_home_without_profiles_knows_no_country(home: Home) -> None:
    assert countries(built(home), 3) == {}
