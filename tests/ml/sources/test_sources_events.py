"""The journal as a source: closed days only, whole lines only, every line accounted for."""

from datetime import UTC, datetime, timedelta

import pytest

from ml.errors import SegueError
from ml.lake.ingest import ingest, ingest_source
from ml.lake.quarantine import read_quarantine
from ml.lake.store import Lake
from ml.serving.events.closing import close_days
from ml.serving.events.journal import Journal
from ml.sources import events
from ml.sources.events import read_days, segments
from ml.sources.registry import read_source

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = NOON.date()


def listen(number, at=NOON):
    return {
        "kind": "listen",
        "listen_id": f"l{number}",
        "user_id": "anna",
        "track_id": "t",
        "played_at": at - timedelta(minutes=4),
        "surface": "home",
    }


@pytest.fixture
def folder(tmp_path):
    """A journal with one listen a day on three days, two of them closed."""
    folder = tmp_path / "events"
    journal = Journal(folder)
    for number in range(3):
        at = NOON + timedelta(days=number)
        journal.append([listen(number, at)], at)
    journal.close()
    close_days(folder, DAY + timedelta(days=2))
    return folder


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "home")


def ids(lake):
    return lake.read("listens")["listen_id"].to_pylist()


def test_the_closed_days_are_read_and_the_running_one_is_not(folder, lake):
    report = ingest_source(lake, read_source("events", folder, {}))
    assert ids(lake) == ["l0", "l1"]
    assert [file.path for file in report.files] == [
        "events/day=2026-03-01/0001.jsonl",
        "events/day=2026-03-02/0001.jsonl",
    ]
    assert lake.days("listens") == [DAY, DAY + timedelta(days=1)]


def test_the_same_segments_again_change_nothing(folder, lake):
    source = read_source("events", folder, {})
    ingest_source(lake, source)
    again = ingest_source(lake, source)
    assert [(f.received, f.accepted, f.already_known) for f in again.files] == [(1, 0, 1)] * 2


def test_days_can_be_chosen(folder, lake):
    ingest_source(lake, read_source("events", folder, {"first": "2026-03-02"}))
    assert ids(lake) == ["l1"]
    ingest_source(lake, read_source("events", folder, {"last": "2026-03-01"}))
    assert ids(lake) == ["l0", "l1"]


def test_an_option_that_is_no_day_is_refused(folder):
    with pytest.raises(SegueError, match=r"option first: expected a day.*found 'soon'"):
        read_source("events", folder, {"first": "soon"})


def test_a_journal_whose_days_are_all_open_is_refused_with_the_way_on(folder):
    (folder / "closed_before").unlink()
    with pytest.raises(SegueError, match=r"closed days.*segue run daily"):
        read_source("events", folder, {})


@pytest.mark.parametrize("cut", [1, 20])
def test_a_torn_end_is_left_out_and_told(folder, lake, cut):
    [segment] = segments(folder, DAY)
    content = segment.read_bytes()
    segment.write_bytes(content + content[:-cut])
    source = read_source("events", folder, {})
    report = ingest_source(lake, source)
    assert [(file.received, file.accepted) for file in report.files] == [(1, 1), (1, 1)]
    [note] = report.notes
    assert note.startswith(f"events/day=2026-03-01/0001.jsonl ends in {len(content) - cut:,} bytes")
    assert "never acknowledged" in note


def test_a_long_torn_end_is_measured_from_the_last_whole_line(folder):
    [segment] = segments(folder, DAY)
    segment.write_bytes(segment.read_bytes() + b"x" * 200_000)
    assert "ends in 200,000 bytes" in read_days(folder, [DAY]).notes[0]


def test_lines_that_are_no_events_go_to_quarantine_with_their_line(folder, lake):
    [segment] = segments(folder, DAY)
    lines = [b"garbage", b"\xff\xfe", b'{"kind":"like"}', b"[1]", b"{}", b'{"kind":"listen"}']
    segment.write_bytes(segment.read_bytes() + b"\n".join(lines) + b"\n")
    report = ingest(lake, read_days(folder, [DAY]).files)
    [file] = report.files
    assert (file.received, file.accepted, file.quarantined) == (7, 1, 6)
    held = read_quarantine(lake).to_pylist()
    assert [row["record"] for row in held] == [2, 3, 4, 5, 6, 7]
    assert [row["reason"].split(":")[0] for row in held] == ["no event"] * 5 + ["user_id"]


def test_lines_are_numbered_through_all_blocks_of_a_segment(folder, lake, monkeypatch):
    monkeypatch.setattr(events, "_READ_BYTES", 7)
    [segment] = segments(folder, DAY)
    segment.write_bytes(b"garbage\n\n" + segment.read_bytes() + b"[1]\ntorn")
    report = ingest(lake, read_days(folder, [DAY]).files)
    [file] = report.files
    assert (file.received, file.accepted, file.quarantined) == (4, 1, 3)
    assert [row["record"] for row in read_quarantine(lake).to_pylist()] == [1, 2, 4]
    assert ids(lake) == ["l0"]


def test_a_segment_without_a_whole_line_holds_nothing(folder):
    [segment] = segments(folder, DAY)
    segment.write_bytes(b'{"kind":"li')
    source = read_days(folder, [DAY])
    assert list(source.files) == []
    assert "ends in 11 bytes" in source.notes[0]
