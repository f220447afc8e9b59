"""The compact set of known events answers as a dictionary would."""

import numpy as np

from ml.serving.events import known
from ml.serving.events.known import KnownEvents


def test_keys_are_found_before_and_after_they_moved_into_the_arrays(monkeypatch):
    monkeypatch.setattr(known, "_RECENT", 10)
    held, plain = KnownEvents(), {}
    draw = np.random.default_rng(3)
    for _ in range(30):
        added = {int(key): int(key) * 7 % 2**64 for key in draw.integers(0, 2**64, 4, np.uint64)}
        held.add(added)
        plain |= added
    assert len(held) == len(plain) == 120
    absent = [key ^ 1 for key in plain]
    assert held.contents([*plain, *absent]) == plain


def test_the_first_content_of_a_key_stays(monkeypatch):
    held = KnownEvents()
    held.add({5: 1})
    held.add({5: 2})
    monkeypatch.setattr(known, "_RECENT", 0)
    held.add({6: 3})
    held.add({5: 4})
    assert held.contents([5, 6, 7]) == {5: 1, 6: 3}


def test_nothing_is_known_at_the_start():
    assert KnownEvents().contents([1, 2]) == {}
