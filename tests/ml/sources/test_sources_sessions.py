"""Anonymous sessions: made-up times that keep the order."""

from datetime import date, timedelta

import pytest

from ml.errors import SegueError
from ml.lake.ingest import ingest
from ml.lake.store import Lake
from ml.sources.registry import read_source

ROWS = "session_id,position,item_id\n" + "".join(
    f"{session},{position},{session + position}\n"
    for session in range(8, 12)
    for position in range(3)
)


def import_sessions(tmp_path, **options):
    (tmp_path / "log.csv").write_text(ROWS)
    lake = Lake(tmp_path / "home")
    source = read_source("sessions", tmp_path / "log.csv", {"days": "2", **options})
    ingest(lake, source.files)
    return source, lake.read("listens").to_pylist()


def test_sessions_follow_one_another_over_the_days_asked_for(tmp_path):
    source, rows = import_sessions(tmp_path, last_day="2026-01-02")
    starts = {}
    for row in sorted(rows, key=lambda row: row["played_at"]):
        starts.setdefault(row["session_id"], []).append(row)
    assert list(starts) == ["8", "9", "10", "11"]
    for session, held in starts.items():
        assert [row["track_id"] for row in held] == [f"item:{int(session) + i}" for i in range(3)]
        assert {row["user_id"] for row in held} == {f"session:{session}"}
        assert held[1]["played_at"] - held[0]["played_at"] == timedelta(minutes=4)
    assert [held[0]["played_at"].date() for held in starts.values()] == [
        date(2026, 1, 1),
        date(2026, 1, 1),
        date(2026, 1, 2),
        date(2026, 1, 2),
    ]
    assert source.limits == ("times_synthesised", "anonymous_users", "no_text", "no_play_length")


def test_a_sample_is_the_last_sessions_over_all_days(tmp_path):
    source, rows = import_sessions(tmp_path, sample="2", last_day="2026-01-02")
    assert {(row["session_id"], row["played_at"].date()) for row in rows} == {
        ("10", date(2026, 1, 1)),
        ("11", date(2026, 1, 2)),
    }
    assert source.notes[1] == "Only the last 2 sessions were read."


def test_a_session_longer_than_half_a_day_stays_in_its_day(tmp_path):
    (tmp_path / "log.csv").write_text(
        "session_id,position,item_id\n" + "".join(f"1,{i},{i}\n" for i in range(500))
    )
    lake = Lake(tmp_path / "home")
    ingest(lake, read_source("sessions", tmp_path / "log.csv", {"days": "1"}).files)
    moments = [row["played_at"] for row in lake.read("listens").to_pylist()]
    assert max(moments) - min(moments) < timedelta(hours=12)
    assert len(set(moments)) == 500


@pytest.mark.parametrize("options", [{"days": "many"}, {"last_day": "1.1.2026"}, {"sample": "-1"}])
def test_wrong_options_say_what_was_expected(tmp_path, options):
    (tmp_path / "log.csv").write_text(ROWS)
    with pytest.raises(SegueError, match="expected a"):
        read_source("sessions", tmp_path / "log.csv", options)
