"""What a candidate generator is, and what it returns.

Belongs here: the protocol and the long table of candidates. Does not belong here: any generator.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ml.state.catalogue import Catalogue
from ml.state.log import Log
from ml.state.requests import Requests
from ml.state.state import State

Arrays = Mapping[str, NDArray[np.generic]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidates:
    """Scored tracks for requests, sorted by (request, rank).

    `request` int32 index into the batch, `track` int32, `score` float32 (higher is better), `rank`
    int32, 1-based; ties in score are broken by the smaller track index.
    """

    request: NDArray[np.int32]
    track: NDArray[np.int32]
    score: NDArray[np.float32]
    rank: NDArray[np.int32]

    def select(self, row: NDArray[np.int64]) -> "Candidates":
        """The chosen rows in the given order, their ranks as they were."""
        return Candidates(self.request[row], self.track[row], self.score[row], self.rank[row])


@dataclass(frozen=True, slots=True)
class FitInput:
    """All a generator may be fitted from: what is known before `as_of`.

    `log` is already cut at `as_of`; `vectors` float32 (tracks, d), L2-normalised, zero rows where a
    track has no text, or None where there is no text at all; `state` is the state valid on `as_of`. What gives
    scores another scale is chosen on what is known before `settled` (None: `as_of`), which is the same day in all
    fits of a run: a ranker then serves the scale that it learned.
    """

    log: Log
    catalogue: Catalogue
    state: State
    vectors: NDArray[np.float32] | None
    as_of: date
    seed: int
    settled: date | None = None
    _made: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` returns, made for the first generator that asks and shared with the others."""
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made


class Generator(Protocol):
    """One source of candidates.

    What is learned from all listeners together (matrices, neighbours, factors) is fitted and stored
    in the bundle; what belongs to a listener comes from the State of the request's day.
    """

    name: ClassVar[str]
    surfaces: ClassVar[tuple[str, ...]]

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Learn from what is known before `data.as_of`."""
        ...

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """At most `k` candidates a request; requests it knows nothing about get none."""
        ...

    def arrays(self) -> Arrays:
        """What the bundle stores (one .npy file each); indices are those of the fitted catalogue."""
        ...

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32], tracks: int) -> Self:
        """The generator from its stored arrays, moved to a catalogue of `tracks` tracks.

        `position` int32 (fitted tracks) is each fitted track's index in the new catalogue, -1 = gone.
        """
        ...
