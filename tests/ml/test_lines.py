"""Lines of JSON objects are read whole or not at all."""

import json

import pytest

from ml.lines import whole_objects

FIRST = b'{"number": 1}'
LAST = json.dumps({"inner": [{"a": 1}, {"b": {"c": "}"}}], "note": "Zo\u00eb {x}"}).encode()


@pytest.mark.parametrize("cut", range(1, len(LAST)))
def test_a_line_cut_anywhere_is_passed_over(cut: int) -> None:
    assert whole_objects(FIRST + b"\n" + LAST[:cut]) == [{"number": 1}]
    assert whole_objects(LAST[:cut] + b"\n" + FIRST + b"\n") == [{"number": 1}]


def test_a_line_cut_within_a_letter_is_passed_over() -> None:
    assert whole_objects('{"note": "Zo\u00eb'.encode()[:-1] + b"\n" + FIRST) == [{"number": 1}]


def test_a_whole_line_counts_with_and_without_its_end() -> None:
    assert whole_objects(FIRST) == whole_objects(FIRST + b"\n") == [{"number": 1}]
    assert whole_objects(b"") == whole_objects(b"[1]\n2\nnull\n") == []
