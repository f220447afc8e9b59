"""Which events a process knows to be durable, in 16 bytes an event.

Belongs here: the set. Does not belong here: which days it covers (journal.py).
"""

import numpy as np
from numpy.typing import NDArray

# Entries of a dictionary cost 150 bytes: they move into sorted arrays when there are this many.
_RECENT = 1 << 16
_Run = tuple[NDArray[np.uint64], NDArray[np.uint64]]


class KnownEvents:
    """64-bit keys with 64 bits of content.

    Two of n keys are the same by chance in n^2 / 2^65 of all cases (ten million: 3 in a million); the
    later event is then rejected for its content, never silently dropped.
    """

    def __init__(self) -> None:
        self._recent: dict[int, int] = {}
        # Sorted (keys, contents), each at least twice as long as the next: an entry is moved by
        # log2(n / _RECENT) merges, and a look-up searches as many arrays.
        self._runs: list[_Run] = []

    def __len__(self) -> int:
        return len(self._recent) + sum(len(keys) for keys, _ in self._runs)

    def add(self, events: dict[int, int]) -> None:
        """Add contents by key; the first content of a key stays."""
        known = self.contents(list(events))
        self._recent.update((key, content) for key, content in events.items() if key not in known)
        if len(self._recent) > _RECENT:
            self._settle()

    def contents(self, keys: list[int]) -> dict[int, int]:
        """Contents of those keys that are known."""
        found = {key: self._recent[key] for key in keys if key in self._recent}
        asked = np.array(keys, np.uint64)
        for held, contents in self._runs:
            places = np.minimum(np.searchsorted(held, asked), len(held) - 1)
            hits = held[places] == asked
            found.update(zip(asked[hits].tolist(), contents[places[hits]].tolist(), strict=True))
        return found

    def _settle(self) -> None:
        keys = np.fromiter(self._recent.keys(), np.uint64)
        self._runs.append(_sorted(keys, np.fromiter(self._recent.values(), np.uint64)))
        self._recent = {}
        while len(self._runs) > 1 and len(self._runs[-2][0]) < 2 * len(self._runs[-1][0]):
            last, before = self._runs.pop(), self._runs.pop()
            self._runs.append(
                _sorted(np.concatenate([before[0], last[0]]), np.concatenate([before[1], last[1]]))
            )


def _sorted(keys: NDArray[np.uint64], contents: NDArray[np.uint64]) -> _Run:
    order = np.argsort(keys, kind="stable")
    return keys[order], contents[order]
