"""Sessions and first listens of small logs worked out on paper."""

from datetime import datetime, timedelta

import pytest

from ml.tables import TRACKS
from tests.dbt.conftest import Home, day, instant, listens_of, rows_of


def play(user: str, number: int, clock: str, **more: object) -> dict[str, object]:
    row = {"user_id": user, "track_id": "t", "played_at": instant(number, clock)}
    return row | more


def sessions(home: Home, user: str) -> list[list[str]]:
    """Listen ids by session, sessions by their first listen, in order of position."""
    rows = home.query(
        "select list(listen_id order by position) as ids, list(position order by position) as places "
        f"from intermediate.listens where user_id = '{user}' group by session_id "
        "order by min(played_at), 1"
    ).to_pylist()
    assert all(row["places"] == list(range(len(row["ids"]))) for row in rows)
    return [row["ids"] for row in rows]


def late(number: int, clock: str, known: int) -> dict[str, object]:
    return play("late", number, clock, known_at=instant(known, "12:00"))


LISTENS = listens_of(
    play("gap", 0, "10:00"),  # l0000
    play("gap", 0, "10:30"),  # 30 minutes are no gap
    play("gap", 0, "11:01"),  # 31 are
    play("open", 0, "23:40"),  # l0003
    play("open", 0, "23:55"),
    play("open", 1, "00:20"),  # goes on over midnight
    play("open", 1, "00:51"),
    play("given", 0, "10:00", session_id="s1"),  # l0007
    play("given", 1, "20:00", session_id="s1"),  # a given session is never cut
    play("given", 1, "20:01", session_id="s2"),
    play("late", 0, "10:00"),  # l0010
    play("late", 0, "10:20"),
    late(0, "10:10", 1),  # between two listens of a known session
    late(0, "10:15", 1),  # with it, its own session
    late(0, "10:15", 2),  # another known day, another session
    play("late", 2, "12:00"),
)


def marathon() -> list[dict[str, object]]:
    """A listen every 20 minutes for 25 hours, over midnight."""
    return [
        play("long", 0, "20:00") | {"played_at": instant(0, "20:00") + timedelta(minutes=20 * i)}
        for i in range(76)
    ]


@pytest.fixture(scope="module", params=["one range", "day by day"])
def built(request: pytest.FixtureRequest, tmp_path_factory, manifest) -> Home:
    home = Home(tmp_path_factory.mktemp("sessions"), manifest)
    rows = LISTENS.to_pylist()
    home.write(
        "listens", listens_of(*rows, *[row | {"known_at": row["played_at"]} for row in marathon()])
    )
    home.write(
        "tracks", rows_of(TRACKS, [{"track_id": "t", "artist_id": "a", "known_at": instant(1)}])
    )
    if request.param == "one range":
        home.run(day(0), day(3))
    else:
        for number in range(3):
            home.run(day(number), day(number + 1), "--select", "+int_listens")
    return home


def test_a_gap_over_thirty_minutes_ends_a_session(built: Home) -> None:
    assert sessions(built, "gap") == [["l0000", "l0001"], ["l0002"]]


def test_an_open_session_is_carried_into_the_next_day(built: Home) -> None:
    assert sessions(built, "open") == [["l0003", "l0004", "l0005"], ["l0006"]]


def test_a_session_named_by_the_source_is_kept(built: Home) -> None:
    assert sessions(built, "given") == [["l0007", "l0008"], ["l0009"]]


def test_late_listens_form_sessions_of_their_own(built: Home) -> None:
    assert sessions(built, "late") == [
        ["l0010", "l0011"], ["l0012", "l0013"], ["l0014"], ["l0015"],
    ]  # fmt: skip


def test_a_session_is_shorter_than_twelve_hours(built: Home) -> None:
    assert [len(ids) for ids in sessions(built, "long")] == [36, 36, 4]


def test_the_first_listen_is_the_first_known(built: Home) -> None:
    first = built.query(
        "select listen_id from intermediate.listens where is_first order by listen_id"
    )["listen_id"].to_pylist()
    assert first == ["l0000", "l0003", "l0007", "l0010", "l0016"]


def test_the_artist_is_the_one_known_by_the_end_of_the_day(built: Home) -> None:
    artists = built.query(
        "select known_on, artist_id from intermediate.listens group by all order by known_on"
    ).to_pylist()
    assert [row["artist_id"] for row in artists] == [None, "a", "a"]


def test_streams_are_thirty_seconds_or_of_unknown_length(home: Home) -> None:
    lengths: dict[int | None, bool] = {29_999: False, 30_000: True, None: True}
    start: datetime = instant(0, "10:00")
    home.write(
        "listens",
        listens_of(
            *(
                {"user_id": "u", "track_id": "t", "played_at": start, "ms_played": ms}
                for ms in lengths
            )
        ),
    )
    home.run(day(0), day(1), "--select", "+int_listens")
    rows = home.rows("intermediate.listens").to_pylist()
    assert {row["ms_played"]: row["is_stream"] for row in rows} == lengths
    assert all(row["is_skip"] is not row["is_stream"] for row in rows)
