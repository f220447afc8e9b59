"""The journal judges one event as the lake judges a table: the same verdict, the same values."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from ml.lake.judge import judge
from ml.serving.events.validation import UnfitEventError, checked
from ml.sources.events import KINDS
from ml.sources.files import connect, raw_table
from ml.sources.source import SourceFile
from tests.ml.serving.events.conftest import NOON, entered, make_impression, make_listen

# Values of one type a group: the lake judges a column, which has one type.
TEXTS = (
    *(
        "",
        " ",
        "\t",
        "a",
        " a ",
        "Ångström ♪ 東京",
        "a\x00b",
        "'; drop table listens; --",
        "{}",
        "nan",
    ),
    *("home", "Home", "now_playing", "radio", "car"),
    *("5", "-5", "+5", " 5 ", "5.", "5.0", "5.5", "5.05", "1e3", "1_000", "0x10", "\u0665", "inf"),
    *("2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "0.5", "1.1"),
    *("2026-03-01T11:00:00Z", "2026-03-01 11:00:00 UTC", "2026-03-01T13:00+02:00"),
    *("2026-03-01T11:00:00.123456+00:00", "2026-03-01T11:00:00,5z", "2026-03-01T9:30:00Z"),
    *("2026-03-01T11:00:00", "2026-03-01", "2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z"),
    *("2026-02-30T11:00:00Z", "2026-03-01T25:00:00Z", "1969-12-31T23:59:59Z", "1600-01-01T00:00Z"),
    *("2200-01-01T00:00:00Z", "1772362800", "yesterday", "2026-03-01T11:00:00+0530"),
)
NUMBERS = (0.0, -0.5, 0.5, 1.0, 1.5, 5.0, 30_000.0, 1e300, float("nan"), float("inf"), -1.0)
INTEGERS = (0, 1, -1, 5, 30_000, 2**31 - 1, 2**31, 2**63 - 1, -(2**31), -(2**31) - 1)
OTHERS: tuple[tuple[Any, ...], ...] = (
    (True, False),
    (NOON, NOON + timedelta(microseconds=1), datetime(1969, 12, 31, tzinfo=UTC)),
    (NOON.replace(tzinfo=None),),
    (["a"], []),
    ({"a": "b"},),
    (b"a",),
    (None,),
)
GROUPS = (TEXTS, NUMBERS, INTEGERS, *OTHERS)
COLUMNS = [
    (kind, name)
    for kind, table in KINDS.items()
    for name in table.schema.names
    if name != "known_at"
]


def row_of(kind: str) -> dict[str, object]:
    return make_listen(0) if kind == "listen" else make_impression(0)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """One for all columns: beginning one takes longer than judging."""
    with connect() as connection:
        yield connection


def by_the_lake(
    connection: duckdb.DuckDBPyConnection, kind: str, rows: list[dict[str, object]]
) -> list[dict[str, Any]]:
    """The lake's values and reason (null = fit) of rows without an id that it would make up itself."""
    table = pa.Table.from_pylist([{**row, "known_at": NOON} for row in rows])
    file = SourceFile("f", KINDS[kind].name, "test", "digest", raw_table(table).rows)
    judge(connection, KINDS[kind], file, None)
    found = connection.query("from judged order by _record").to_arrow_table()
    return found.drop_columns(["_record", "known_at"]).to_pylist()


def by_the_journal(row: dict[str, object]) -> dict[str, Any]:
    try:
        values = dict(checked(row, NOON).values)
    except UnfitEventError as reason:
        return {"reason": str(reason)}
    assert values.pop("kind") == row["kind"]
    for name in ("played_at", "shown_at"):
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    return values | {"reason": None}


@pytest.mark.parametrize(("kind", "name"), COLUMNS)
def test_every_value_of_a_column_is_judged_as_in_the_lake(
    database: duckdb.DuckDBPyConnection, kind: str, name: str
) -> None:
    verdicts = set()
    for group in GROUPS:
        rows = [row_of(kind) | {name: value} for value in group]
        for row, theirs in zip(rows, by_the_lake(database, kind, rows), strict=True):
            ours = by_the_journal(row)
            said = (ours["reason"] or "").split(":")[0]
            if name == "listen_id" and row[name] in (None, "", " "):
                # The lake would make an id up; events are told apart by theirs.
                assert ours["reason"] == "listen_id: missing"
                continue
            assert said == (theirs["reason"] or "").split(":")[0], row[name]
            if ours["reason"] is None:
                assert ours == theirs
            verdicts.add(said == "")
    assert verdicts == {True, False}


@pytest.mark.parametrize(("kind", "name"), COLUMNS)
def test_every_column_may_be_left_out_where_the_lake_may_do_without(kind: str, name: str) -> None:
    row = {column: value for column, value in row_of(kind).items() if column != name}
    required = name in KINDS[kind].required and name != "surface"
    assert by_the_journal(row)["reason"] == (f"{name}: missing" if required else None)


def test_what_the_journal_takes_the_lake_takes_as_it_is(journal, folder, lake) -> None:
    rows = [
        row_of(kind) | {KINDS[kind].key[0]: f"{name}-{number}", name: value}
        for kind, name in COLUMNS
        for number, value in enumerate(value for group in GROUPS for value in group)
    ]
    answer = journal.append(rows, NOON)
    assert 200 < answer.accepted < len(rows)
    report = entered(folder, lake)
    assert sum(file.received for file in report.files) == answer.accepted
    assert sum(file.accepted for file in report.files) == answer.accepted


def test_text_that_is_no_utf_8_is_refused() -> None:
    with pytest.raises(UnfitEventError, match="UTF-8"):
        checked(make_listen(0, user_id="\ud800"), NOON)


@pytest.mark.parametrize("value", [2**63, -(2**64), 10**400])
def test_numbers_beyond_64_bits_are_refused(value: int) -> None:
    with pytest.raises(UnfitEventError, match="ms_played: not a whole number"):
        checked(make_listen(0, ms_played=value), NOON)
    with pytest.raises(UnfitEventError, match="user_id: not text"):
        checked(make_listen(0, user_id=value), NOON)
    with pytest.raises(UnfitEventError, match="score: not a number"):
        checked(make_impression(0, score=10**400), NOON)


def test_a_known_at_of_the_sender_and_further_columns_do_not_count() -> None:
    plain = checked(make_listen(0), NOON)
    assert checked(make_listen(0, known_at="2020-01-01T00:00:00Z", mood="calm"), NOON) == plain


def test_an_instant_is_the_same_in_every_zone() -> None:
    there = (NOON - timedelta(seconds=1)).astimezone(timezone(timedelta(hours=9)))
    assert checked(make_listen(0, played_at=there), NOON) == checked(
        make_listen(0, played_at="2026-03-01T11:59:59Z"), NOON
    )


@pytest.mark.parametrize("row", [{}, {"kind": None}, {"kind": ["listen"]}, {"kind": "skip"}])
def test_an_event_of_no_kind_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(UnfitEventError, match="kind: not one of listen, impression"):
        checked(row, NOON)
