"""Decayed sums, counts and look-ups against NumPy, from one day to a thousand."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from ml.tables import HALF_LIVES, TRACKS
from tests.dbt.conftest import DAYS, STATE, Home, day, instant, listens_of, rows_of, small_world


def epochs(column: pa.ChunkedArray) -> np.ndarray:
    return np.array([value.timestamp() for value in column.to_pylist()])


def midnight(value: date) -> float:
    return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()


def weights(listens: pa.Table, valid_from: date, half_life: int) -> np.ndarray:
    """Weight at a midnight of every listen known before it, 0 of the others."""
    at = midnight(valid_from)
    known = epochs(listens["known_at"]) < at
    return np.where(known, 2.0 ** (-(at - epochs(listens["played_at"])) / 86_400 / half_life), 0)


@pytest.fixture(scope="module")
def listens() -> pa.Table:
    return small_world()[0]


@pytest.mark.parametrize("half_life", HALF_LIVES)
def test_decayed_streams_of_a_pair_match_numpy(
    full: Home, listens: pa.Table, half_life: int
) -> None:
    rows = full.rows("features.user_tracks", "user_id in ('u01', 'u03', 'u07')").to_pylist()
    assert len(rows) > 100
    user, track = listens["user_id"].to_numpy(), listens["track_id"].to_numpy()
    stream = np.array([ms is None or ms >= 30_000 for ms in listens["ms_played"].to_pylist()])
    by_day = {day(n): weights(listens, day(n), half_life) for n in range(DAYS + 1)}
    expected = [
        by_day[row["valid_from"]][
            (user == row["user_id"]) & (track == row["track_id"]) & stream
        ].sum()
        for row in rows
    ]
    found = [row[f"streams_h{half_life}"] for row in rows]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_users_match_numpy(full: Home, listens: pa.Table) -> None:
    user = listens["user_id"].to_numpy()
    played, known = epochs(listens["played_at"]), epochs(listens["known_at"])
    repeat = np.zeros(len(user), dtype=bool)
    heard: set[tuple[str, str]] = set()
    known_day = known // 86_400
    for row in np.lexsort((listens["listen_id"].to_numpy(), played, known_day)):
        pair = (user[row], listens["track_id"][int(row)].as_py())
        repeat[row] = pair in heard
        heard.add(pair)
    for row in full.rows("features.users").to_pylist():
        mine = (user == row["user_id"]) & (known < midnight(row["valid_from"]))
        assert row["plays"] == mine.sum()
        assert row["new_tracks"] == (mine & ~repeat).sum()
        assert row["active_days"] == len(np.unique(known_day[mine]))
        assert row["last_played_at"].timestamp() == played[mine].max()
        weight = weights(listens, row["valid_from"], 22)
        assert row["plays_h22"] == pytest.approx(weight[mine].sum(), abs=1e-10)
        assert row["repeats_h22"] == pytest.approx(weight[mine & repeat].sum(), abs=1e-10)


def test_listeners_of_a_track_are_distinct(full: Home, listens: pa.Table) -> None:
    known, track = epochs(listens["known_at"]), listens["track_id"].to_numpy()
    for row in full.rows("features.tracks").to_pylist():
        heard = (track == row["track_id"]) & (known < midnight(row["valid_from"]))
        assert row["listeners"] == len(set(listens["user_id"].to_numpy()[heard]))


def test_an_artist_sums_its_tracks_and_unknown_artists_are_left_out(full: Home) -> None:
    last = "qualify valid_from = max(valid_from) over (partition by {})"
    total = full.query(
        "select sum(plays) as plays from (select plays from features.user_artists "
        + last.format("user_id, artist_id") + ")"
    )["plays"][0].as_py()  # fmt: skip
    known = full.query(
        "select count(*) as plays from intermediate.listens where artist_id is not null"
    )["plays"][0].as_py()
    assert total == known < full.rows("intermediate.listens").num_rows


@pytest.fixture(scope="module")
def thousand_days(tmp_path_factory: pytest.TempPathFactory, manifest) -> Home:
    """A listener of every tenth day, one who comes back after 990 days, and a track 900 days late."""
    home = Home(tmp_path_factory.mktemp("thousand"), manifest)
    numbers = list(range(0, 1000, 10))
    rows = [
        {"user_id": "often", "track_id": "t", "played_at": instant(number, "12:00")}
        for number in numbers
    ]
    rows += [
        {"user_id": "rare", "track_id": "t", "played_at": instant(0, "12:00")},
        {"user_id": "rare", "track_id": "t", "played_at": instant(990, "12:00")},
        {"user_id": "late", "track_id": "t", "played_at": instant(5, "12:00")}
        | {"known_at": instant(905, "12:00")},
    ]
    home.write("listens", listens_of(*rows))
    home.write(
        "tracks", rows_of(TRACKS, [{"track_id": "t", "artist_id": "a", "known_at": instant(0)}])
    )
    home.run(day(0), day(500))
    home.run(day(500), day(1000))
    return home


@pytest.mark.parametrize("name", STATE)
def test_a_thousand_days_hold_no_nan(thousand_days: Home, name: str) -> None:
    table = thousand_days.rows(f"features.{name}")
    floats = [column for column in table.column_names if "_h" in column]
    values = np.concatenate([table[column].to_numpy() for column in floats])
    assert table.num_rows >= 100
    assert np.isfinite(values).all()
    assert (values >= 0).all()


def test_a_thousand_days_match_the_closed_form(thousand_days: Home) -> None:
    rows = thousand_days.rows("features.user_tracks", "user_id = 'often'").to_pylist()
    for row in (rows[0], rows[49], rows[50], rows[99]):
        plays = row["plays"]
        for half_life in HALF_LIVES:
            ages = 0.5 + 10 * np.arange(plays)
            expected = (2.0 ** (-ages / half_life)).sum()
            assert row[f"streams_h{half_life}"] == pytest.approx(expected, rel=1e-9, abs=1e-11)
    assert rows[-1]["valid_from"] == day(0) + timedelta(days=991)


def test_a_listener_back_after_years_keeps_what_is_left(thousand_days: Home) -> None:
    last = thousand_days.rows("features.user_tracks", "user_id = 'rare'").to_pylist()[-1]
    assert last["plays"] == 2
    expected = 2.0 ** (-0.5 / 180) + 2.0 ** (-990.5 / 180)
    assert last["streams_h180"] == pytest.approx(expected, rel=1e-9)
