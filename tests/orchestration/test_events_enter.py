"""Events that the service received enter the lake with the day on which they came, in every kind of home."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.lake.report import ImportReport
from ml.lake.store import Lake
from ml.serving.events.journal import Journal
from ml.sources.events import closed_before
from orchestration.beginning import begin_imported
from orchestration.defs.raw.assets import table_metadata
from orchestration.home import SIMULATED, Home, Source, read_home
from orchestration.receiving import receive
from orchestration.settings import Settings

DAYS = [date(2025, 3, 3) + timedelta(days=number) for number in range(4)]
Send = Callable[..., None]


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def event(name: str, day: date) -> dict[str, object]:
    played = noon(day) - timedelta(minutes=5)
    row: dict[str, object] = {"kind": "listen", "user_id": "u", "track_id": "t", "surface": "home"}
    return row | {"listen_id": name, "played_at": played, "ms_played": 9_000}


def shown(day: date) -> dict[str, object]:
    row: dict[str, object] = {"kind": "impression", "request_id": "r", "position": 1}
    return row | {"user_id": "u", "surface": "home", "shown_at": noon(day), "track_id": "t"}


@pytest.fixture
def send(settings: Settings) -> Send:
    """A function that has a new process take a listen (and an impression) at noon of a day."""

    def build(name: str, day: date, *more: dict[str, object]) -> None:
        settings.home.mkdir(parents=True, exist_ok=True)
        journal = Journal(settings.events)
        assert journal.append([event(name, day), *more], noon(day)).rejected == ()
        journal.close()

    return build


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Listens i0 and i2 of the first and the third day, as a source has them."""
    folder = tmp_path / "files"
    folder.mkdir()
    rows = [event(f"i{number}", DAYS[number]) for number in (0, 2)]
    pq.write_table(pa.Table.from_pylist(rows).drop_columns(["kind"]), folder / "listens.parquet")
    return folder


@pytest.fixture
def imported(settings: Settings, files: Path) -> Home:
    begin_imported(settings, "canonical", files, {})
    return read_home(settings)


def received(settings: Settings, home: Home, day: date) -> ImportReport:
    return receive(settings, home, day, day + timedelta(days=1))


def counts(report: ImportReport, source: str) -> list[tuple[str, int, int, int]]:
    return [
        (file.table, file.received, file.accepted, file.already_known)
        for file in report.files
        if file.path.startswith(source) and file.received
    ]


def ids(settings: Settings, day: date) -> list[str]:
    rows = Lake(settings.home).read("listens", start=day, end=day + timedelta(days=1))
    return sorted(rows["listen_id"].to_pylist())


def test_events_join_the_day_of_an_imported_home(
    settings: Settings, imported: Home, send: Send
) -> None:
    send("e2", DAYS[2], shown(DAYS[2]))
    report = received(settings, imported, DAYS[2])
    assert ids(settings, DAYS[2]) == ["e2", "i2"]
    assert counts(report, "the lake") == [("listens", 1, 0, 1)]
    assert counts(report, "events") == [("listens", 1, 1, 0), ("impressions", 1, 1, 0)]
    told = table_metadata(report, "listens")
    assert told["dagster/row_count"] == 2
    assert "events/day=2025-03-05/0001.jsonl" in told["files"].value
    assert "notes" not in told


def test_a_day_received_again_changes_nothing_and_counts_every_row_once(
    settings: Settings, imported: Home, send: Send
) -> None:
    send("e2", DAYS[2])
    received(settings, imported, DAYS[2])
    before = {path: path.stat().st_mtime_ns for path in settings.lake.rglob("*.parquet")}
    again = received(settings, imported, DAYS[2])
    assert counts(again, "the lake") == [("listens", 1, 0, 1)]
    assert counts(again, "events") == [("listens", 1, 0, 1)]
    assert {path: path.stat().st_mtime_ns for path in settings.lake.rglob("*.parquet")} == before


def test_an_event_that_two_processes_took_is_in_the_lake_once(
    settings: Settings, imported: Home, send: Send
) -> None:
    settings.home.mkdir(exist_ok=True)
    one, other = Journal(settings.events), Journal(settings.events)
    for journal in (one, other):
        assert journal.append([event("e2", DAYS[2])], noon(DAYS[2])).accepted == 1
        journal.close()
    report = received(settings, imported, DAYS[2])
    assert counts(report, "events") == [("listens", 1, 1, 0), ("listens", 1, 0, 1)]
    assert ids(settings, DAYS[2]) == ["e2", "i2"]


def test_events_of_a_later_day_wait_for_it(settings: Settings, imported: Home, send: Send) -> None:
    send("e2", DAYS[2])
    received(settings, imported, DAYS[1])
    assert ids(settings, DAYS[2]) == ["i2"]
    received(settings, imported, DAYS[2])
    assert ids(settings, DAYS[2]) == ["e2", "i2"]


def test_events_of_a_silent_day_come_with_the_next_day_that_is_lived(
    settings: Settings, imported: Home, send: Send
) -> None:
    received(settings, imported, DAYS[0])
    send("e1", DAYS[1])
    received(settings, imported, DAYS[2])
    assert ids(settings, DAYS[1]) == ["e1"]


def test_what_comes_after_a_day_was_received_counts_for_the_next(
    settings: Settings, imported: Home, send: Send
) -> None:
    send("e0", DAYS[0])
    received(settings, imported, DAYS[0])
    send("late", DAYS[0])
    received(settings, imported, DAYS[1])
    assert ids(settings, DAYS[0]) == ["e0", "i0"]
    assert ids(settings, DAYS[1]) == ["late"]


def test_events_beyond_the_home_s_last_day_stay_in_the_journal_and_are_told(
    settings: Settings, imported: Home, send: Send
) -> None:
    send("e3", DAYS[3])
    report = received(settings, imported, DAYS[2])
    assert report.notes == (
        "Events received from 2025-03-06 on stay in the journal: the home's last day is 2025-03-05.",
    )
    assert table_metadata(report, "users")["notes"] == report.notes[0]
    assert ids(settings, DAYS[3]) == []
    assert received(settings, imported, DAYS[0]).notes == report.notes


def test_events_join_what_the_source_of_a_live_home_holds(
    settings: Settings, files: Path, send: Send
) -> None:
    begin_imported(settings, "canonical", files, {}, live_from=DAYS[2])
    live = read_home(settings)
    send("e2", DAYS[2])
    report = received(settings, live, DAYS[2])
    assert ids(settings, DAYS[2]) == ["e2", "i2"]
    assert counts(report, "events") == [("listens", 1, 1, 0)]
    assert report.notes == ()


def test_what_the_files_of_a_live_home_gain_of_a_lived_day_becomes_known_on_the_open_one(
    settings: Settings, files: Path
) -> None:
    begin_imported(settings, "canonical", files, {}, live_from=DAYS[2])
    live = read_home(settings)
    received(settings, live, DAYS[2])
    rows = [event(f"i{number}", DAYS[number]) for number in (0, 1, 2, 3)]
    grown = pa.Table.from_pylist(rows).drop_columns(["kind"])
    pq.write_table(grown, files / "listens.parquet")
    received(settings, live, DAYS[3])
    assert ids(settings, DAYS[1]) == []
    assert ids(settings, DAYS[3]) == ["i1", "i3"]
    [late] = [
        one for one in Lake(settings.home).read("listens").to_pylist() if one["listen_id"] == "i1"
    ]
    assert late["played_at"].date() == DAYS[1]
    assert late["known_at"].date() == DAYS[3]


def test_events_join_a_simulated_day_and_the_world_lives_on_unchanged(
    settings: Settings, tmp_path: Path, send: Send
) -> None:
    source = Source(SIMULATED, seed=3, listeners=30, tracks=200)
    home = Home(DAYS[0], DAYS[3], source, (), DAYS[0])
    plain = Settings(tmp_path / "plain")
    send("e1", DAYS[1])
    for day in DAYS[:3]:
        received(settings, home, day)
        received(plain, home, day)
    lived = [ids(plain, day) for day in DAYS[:3]]
    assert len(lived[1]) > 10
    assert [ids(settings, day) for day in DAYS[:3]] == [
        lived[0],
        sorted([*lived[1], "e1"]),
        lived[2],
    ]


def test_receiving_closes_the_days_of_the_journal(settings: Settings, imported: Home) -> None:
    received(settings, imported, DAYS[2])
    assert closed_before(settings.events) == DAYS[3]
    received(settings, imported, DAYS[0])
    assert closed_before(settings.events) == DAYS[3]


def test_a_run_that_ended_between_closing_and_the_lake_is_made_up_for(
    settings: Settings, imported: Home, send: Send
) -> None:
    received(settings, imported, DAYS[0])
    send("e1", DAYS[1])
    segment = settings.events / "day=2025-03-04" / "0001.jsonl"
    hidden = segment.rename(segment.with_suffix(".hidden"))
    segment.mkdir()
    with pytest.raises(IsADirectoryError):
        received(settings, imported, DAYS[2])
    segment.rmdir()
    hidden.rename(segment)
    received(settings, imported, DAYS[2])
    assert ids(settings, DAYS[1]) == ["e1"]
