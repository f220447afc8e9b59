"""What the service itself showed is written unjudged, and is what judging would have written."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from ml.serving.events.closing import close_days
from ml.serving.events.journal import Appended, Journal
from ml.serving.events.segment import JournalError
from ml.serving.events.today import Today
from ml.sources.events import day_folder, segments
from tests.ml.serving.events.conftest import (
    DAY,
    NOON,
    entered,
    make_impression,
    make_listen,
    make_shown,
)


def test_unjudged_lines_are_byte_for_byte_those_that_judging_makes(begin, folder):
    begin().append([make_impression(1), make_impression(2)], NOON)
    begin().append_shown([make_shown(2)], NOON)
    judged, shown = sorted(segments(folder, DAY), key=lambda path: len(path.name))
    assert (judged.name, shown.name) == ("0001.jsonl", "0002-shown.jsonl")
    assert judged.read_bytes() == shown.read_bytes()


def test_a_client_that_sends_what_was_shown_is_told_that_it_is_known(journal):
    journal.append_shown([make_shown(2)], NOON)
    sent = [make_impression(1), make_impression(2, track_id="other"), make_impression(3)]
    told = journal.append(sent, NOON + timedelta(seconds=1))
    assert (told.accepted, told.already_known) == (1, 1)
    assert [one.index for one in told.rejected] == [1]


def test_what_was_shown_is_known_after_a_restart_too(journal, begin):
    journal.append_shown([make_shown(2)], NOON)
    journal.close()
    assert begin().append([make_impression(1)], NOON) == Appended(0, 1, ())


def test_what_was_shown_enters_the_lake(journal, folder, lake):
    journal.append_shown([make_shown(2), make_shown(1, request_id="s")], NOON)
    journal.append([make_listen(0)], NOON)
    report = entered(folder, lake)
    assert sum(one.accepted for one in report.files) == 4
    shown = lake.read("impressions").to_pylist()
    assert {(row["request_id"], row["position"], row["track_id"]) for row in shown} == {
        ("r", 1, "t1"),
        ("r", 2, "t2"),
        ("s", 1, "t1"),
    }


@pytest.mark.parametrize("score", [math.inf, -math.inf, math.nan])
def test_a_score_that_is_no_number_is_missing_and_its_row_enters(journal, folder, lake, score):
    journal.append_shown([make_shown(2, scores=[0.5, score])], NOON)
    entered(folder, lake)
    assert sorted(lake.read("impressions")["score"].to_pylist(), key=str) == [0.5, None]


def test_what_was_shown_after_the_day_was_closed_counts_for_the_first_open_day(journal, folder):
    close_days(folder, DAY + timedelta(days=1))
    journal.append_shown([make_shown(1)], NOON)
    [segment] = segments(folder, DAY + timedelta(days=1))
    assert '"known_at":"2026-03-02T00:00:00.000000+00:00"' in segment.read_text()


def test_every_day_has_a_segment_of_its_own(journal, folder):
    journal.append_shown([make_shown(1)], NOON)
    journal.append_shown([make_shown(1, request_id="s")], datetime(2026, 3, 2, 1, tzinfo=UTC))
    assert [len(segments(folder, DAY + timedelta(days=more))) for more in (0, 1)] == [1, 1]


def test_a_disk_that_refuses_is_told_and_the_next_write_takes_a_new_segment(
    journal, folder, monkeypatch
):
    def refuse(descriptor):
        raise OSError("Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr("os.fdatasync", refuse)
        with pytest.raises(JournalError):
            journal.append_shown([make_shown(1)], NOON)
    journal.append_shown([make_shown(1)], NOON)
    sizes = [len(path.read_bytes().splitlines()) for path in segments(folder, DAY)]
    assert sizes == [0, 1]


def test_who_looks_for_listens_opens_no_segment_of_what_was_shown(folder):
    journal = Journal(folder)
    journal.append_shown([make_shown(1)], NOON)
    journal.append([make_listen(0)], NOON)
    journal.close()
    (shown,) = day_folder(folder, DAY).glob("*-shown.jsonl")
    # A folder of that name cannot be read as a file.
    shown.unlink()
    shown.mkdir()
    (shown / "more").write_text("a folder grows with what is in it")
    today = Today(folder)
    today.refresh()
    assert today.listens("anna", NOON + timedelta(hours=1)).track_ids == ["t0"]
