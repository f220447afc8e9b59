"""Staged plays: parts that fit into memory, lines in blocks."""

from datetime import date

import pytest

from ml.lake.ingest import ingest
from ml.lake.store import Lake
from ml.sources.lines import read_lines
from ml.sources.plays import Origin, Staged, open_stage


@pytest.fixture
def staged(tmp_path):
    """300 plays, ten on each of 30 days, two of which are no plays."""
    connection = open_stage()
    connection.execute(
        """
        insert into plays (file, record, user_id, track_id, played_at, surface, title, reason, raw)
        select 0, i + 1, 'u' || i % 7, 't' || i % 11,
            timestamptz '2024-01-21 10:00:00+00' + to_days((i // 10 * 2)::integer)
                + to_minutes((i % 10)::bigint),
            'unknown', 'title', case when i in (5, 7) then 'odd' end, case when i in (5, 7) then '{}' end
        from range(300) as counted(i)
        """
    )
    origins = [Origin("log", tmp_path / "log", "d" * 32)]
    return lambda rows: Staged(connection, "test", origins, part_rows=rows)


def test_parts_hold_whole_days_and_the_report_is_one_a_file(staged, tmp_path):
    whole, cut = Lake(tmp_path / "whole"), Lake(tmp_path / "cut")
    parts = [file for file in staged(100) if file.table == "listens"]
    assert [part.rows.num_rows for part in parts] == [98, 100, 100]
    assert len({part.digest for part in parts}) == 3
    report = ingest(cut, staged(100))
    one = ingest(whole, staged(1_000))
    assert report == one
    assert [(file.path, file.table) for file in report.files] == [
        ("log", "tracks"),
        ("log", "listens"),
    ]
    assert (report.files[1].received, report.files[1].quarantined) == (300, 2)
    assert (report.first_day, report.last_day) == (date(2024, 1, 21), date(2024, 3, 19))
    assert cut.read("listens").equals(whole.read("listens"))
    assert ingest(cut, staged(100)).accepted == 0


@pytest.mark.parametrize("block", [1, 3, 7, 1_000])
def test_lines_keep_their_number_whatever_the_block(tmp_path, block):
    (tmp_path / "log").write_bytes(b"one\n\ntwo\nthree")
    found = [row for table in read_lines(tmp_path / "log", block) for row in table.to_pylist()]
    assert found == [
        {"record": 1, "line": b"one"},
        {"record": 3, "line": b"two"},
        {"record": 4, "line": b"three"},
    ]
