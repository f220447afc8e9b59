"""Storing: idempotent, additive, atomic by day, and every received row accounted for."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.lake.ingest import ingest_table
from ml.lake.quarantine import read_quarantine
from ml.lake.replay import replay_quarantine
from ml.lake.store import Lake
from ml.tables import LISTENS

MARCH_1 = date(2026, 3, 1)


def test_rows_lie_by_the_day_they_became_known_in_the_canonical_schema(lake, make_listens):
    late = make_listens(2, known_at=["2026-03-01T10:00:00Z", "2026-03-05T00:00:00Z"])
    report = ingest_table(lake, "listens", late, "day")

    assert lake.days("listens") == [MARCH_1, date(2026, 3, 5)]
    assert (report.first_day, report.last_day) == (MARCH_1, date(2026, 3, 5))
    assert lake.read("listens").schema == LISTENS.schema
    assert lake.read("listens", start=date(2026, 3, 2))["listen_id"].to_pylist() == ["l1"]
    assert lake.read("listens", end=date(2026, 3, 5))["listen_id"].to_pylist() == ["l0"]
    assert lake.read("users").num_rows == 0


def test_missing_columns_that_can_be_derived_are(lake, make_listens):
    few = make_listens(2).select(["user_id", "track_id", "played_at"])
    ingest_table(lake, "listens", few, "day")
    rows = lake.read("listens").to_pylist()
    assert {row["surface"] for row in rows} == {"unknown"}
    assert {row["ms_played"] for row in rows} == {None}
    assert all(row["known_at"] == row["played_at"] for row in rows)


def test_the_same_file_again_changes_nothing(lake, make_listens, counts):
    listens = make_listens(3, surface=["home", "car", "home"])
    ingest_table(lake, "listens", listens, "day")
    before = {path: path.stat().st_mtime_ns for path in lake.root.rglob("day=*/*")}
    held = read_quarantine(lake)

    again = ingest_table(lake, "listens", listens, "day")

    assert counts(again) == [(3, 0, 2, 1)]
    assert {path: path.stat().st_mtime_ns for path in lake.root.rglob("day=*/*")} == before
    assert read_quarantine(lake) == held
    assert again.first_day is None


def test_a_second_file_of_a_day_adds_a_file(lake, make_listens):
    ingest_table(lake, "listens", make_listens(2), "first")
    ingest_table(lake, "listens", make_listens(2, listen_id=["m0", "m1"]), "second")
    assert len(lake.files("listens", MARCH_1)) == 2
    assert lake.read("listens").num_rows == 4


def test_derived_ids_follow_content_and_not_the_order_of_the_file(lake, make_listens, counts):
    equal = make_listens(
        3,
        track_id=["t", "t", "t"],
        played_at=["2026-03-01T10:00:00Z"] * 3,
        ms_played=["1", "2", "2"],
    ).drop_columns(["listen_id"])
    assert counts(ingest_table(lake, "listens", equal, "log")) == [(3, 3, 0, 0)]
    turned = equal.take([2, 1, 0])
    assert counts(ingest_table(lake, "listens", turned, "log")) == [(3, 0, 3, 0)]
    assert counts(ingest_table(lake, "listens", turned, "another log")) == [(3, 3, 0, 0)]


def test_tracks_keep_a_version_for_each_change(lake, counts):
    versions = pa.table(
        {
            "track_id": ["t"] * 5,
            "title": ["A", "A", "B", "C", "A"],
            "genres": ["rock|pop"] * 5,
            "known_at": [f"2026-03-0{day}T00:00:00Z" for day in (1, 2, 3, 3, 4)],
        }
    )
    report = ingest_table(lake, "tracks", versions, "catalogue")
    assert counts(report) == [(5, 3, 1, 1)]
    assert report.files[0].reasons == {"track_id: known with other content at this known_at": 1}
    assert lake.read("tracks")["title"].to_pylist() == ["A", "B", "A"]
    assert lake.read("tracks")["genres"][0].as_py() == ["rock", "pop"]
    assert counts(ingest_table(lake, "tracks", versions, "catalogue")) == [(5, 0, 4, 1)]


def test_a_run_killed_half_way_is_completed_by_running_again(lake, make_listens, tmp_path):
    days = [f"2026-03-0{day}T10:00:00Z" for day in range(1, 7)]
    listens = make_listens(6, played_at=days)
    whole = Lake(tmp_path / "whole")
    ingest_table(whole, "listens", listens, "history")

    ingest_table(lake, "listens", listens, "history")
    for day in lake.days("listens")[3:]:
        file = lake.files("listens", day)[0]
        # What a kill leaves: the file of the day half written under its other name, or nothing.
        file.with_name(f".{file.name}.aside").write_bytes(file.read_bytes()[:100])
        file.unlink()
    assert lake.read("listens").num_rows == 3

    report = ingest_table(lake, "listens", listens, "history")

    assert report.accepted == 3
    assert lake.read("listens") == whole.read("listens")
    assert list(lake.root.rglob("*.aside")) == []


def test_rows_of_the_same_content_that_are_let_in_later_join_the_file(lake, make_listens):
    ingest_table(lake, "listens", make_listens(3), "day")
    file = lake.files("listens", MARCH_1)[0]
    rows = lake.read("listens")
    file.unlink()
    lake.add("listens", MARCH_1, file.stem, rows.slice(1))
    lake.add("listens", MARCH_1, file.stem, rows.slice(0, 1))
    assert lake.files("listens", MARCH_1) == [file]
    assert lake.read("listens") == rows


def test_replay_keeps_what_is_still_bad_and_changes_no_day(lake, make_listens, counts):
    ingest_table(lake, "listens", make_listens(3, surface=["home", "car", "car"]), "day")
    before = lake.read("listens")
    report = replay_quarantine(lake, date(2026, 4, 1))
    assert counts(report) == [(2, 0, 0, 2)]
    assert lake.read("listens") == before
    assert read_quarantine(lake).num_rows == 2


def test_replay_lets_in_what_a_fix_made_fit_on_the_day_of_the_replay(lake, make_listens, counts):
    listens = make_listens(2, known_at=["2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"])
    ingest_table(lake, "listens", listens, "day")
    assert read_quarantine(lake).num_rows == 1

    report = replay_quarantine(lake, date(2026, 4, 1))

    assert counts(report) == [(1, 1, 0, 0)]
    assert lake.days("listens") == [MARCH_1, date(2026, 4, 1)]
    entered = lake.read("listens", start=date(2026, 4, 1)).to_pylist()[0]
    assert entered["listen_id"] == "l1"
    assert entered["known_at"] == datetime(2026, 4, 2, tzinfo=UTC) - timedelta(microseconds=1)
    assert read_quarantine(lake).num_rows == 0
    assert counts(replay_quarantine(lake, date(2026, 4, 2))) == []


def test_the_report_reads_as_a_table(lake, make_listens):
    lines = ingest_table(lake, "listens", make_listens(2, surface=["home", "car"]), "day").lines()
    assert lines[0].split()[:3] == ["file", "table", "received"]
    assert lines[1].split()[:6] == ["day", "listens", "2", "1", "0", "1"]


VALUES = {
    "listen_id": st.sampled_from(["a", "b", "c", "", None]),
    "user_id": st.sampled_from(["anna", "ben", "", None]),
    "track_id": st.sampled_from(["t", "u", None]),
    "played_at": st.sampled_from(
        ["2026-03-01T10:00:00Z", "2026-03-01 12:00:00+02", "2026-03-02T10:00:00Z", "now", None]
    ),
    "ms_played": st.sampled_from(["1", "-1", "1.5", "nan", None]),
    "surface": st.sampled_from(["home", "car", None]),
    "known_at": st.sampled_from(["2026-03-02T10:00:00Z", "2026-03-01T10:00:00", None]),
}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    files=st.lists(
        st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=8), min_size=1, max_size=3
    )
)
def test_received_is_accepted_and_known_and_quarantined(tmp_path_factory, files):
    lake = Lake(tmp_path_factory.mktemp("law"))
    schema = pa.schema([(name, pa.string()) for name in VALUES])
    accepted = quarantined = 0
    for rows in [*files, files[0]]:
        report = ingest_table(lake, "listens", pa.Table.from_pylist(rows, schema), "log").files[0]
        assert report.received == len(rows)
        assert report.received == report.accepted + report.already_known + report.quarantined
        assert sum(report.reasons.values()) == report.quarantined
        accepted += report.accepted
        quarantined = report.quarantined
    assert report.accepted == 0, "the first file again"
    held = lake.read("listens")
    assert held.num_rows == accepted
    assert len(set(held["listen_id"].to_pylist())) == accepted
    assert read_quarantine(lake).num_rows >= quarantined
