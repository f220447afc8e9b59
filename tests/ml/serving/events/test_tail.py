"""A reader of a day takes every whole line once, in whatever pieces they come."""

import pytest

from ml.serving.events import tail
from ml.serving.events.journal import Journal
from ml.serving.events.tail import Tail
from ml.sources.events import day_folder
from tests.ml.serving.events.conftest import DAY, NOON, make_impression, make_listen


@pytest.mark.parametrize("durable", [False, True])
def test_lines_longer_than_a_block_are_read_whole_and_once(folder, monkeypatch, durable):
    monkeypatch.setattr(tail, "_BLOCK_BYTES", 8)
    day_folder(folder, DAY).mkdir(parents=True)
    path = day_folder(folder, DAY) / "0001.jsonl"
    path.write_bytes(b'{"a":1}\n{"b":"0123456789"}\n{"c":')
    reader = Tail(folder, DAY)
    assert list(reader.events(durable=durable)) == [{"a": 1}, {"b": "0123456789"}]
    with path.open("ab") as stream:
        stream.write(b"3}\n")
    assert list(reader.events(durable=durable)) == [{"c": 3}]
    assert list(reader.events(durable=durable)) == []


def test_lines_of_a_kind_that_is_not_wanted_are_passed_over(folder):
    journal = Journal(folder)
    journal.append([make_impression(0), make_listen(1), make_impression(2)], NOON)
    reader = Tail(folder, DAY)
    assert [row["kind"] for row in reader.events(but="impression")] == ["listen"]
    assert list(reader.events()) == []
