"""The test requests of a surface, each day with its own state, and what is known of who asked.

Belongs here: facts of the requests that hold for every model. Does not belong here: lists (ml.ranking.judging),
what the gate (ml.registry.ground) or the evaluation (ml.ranking.contexts) makes of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.evaluation.calibration import distribution, shared_membership
from ml.ranking.run import TrainingRun
from ml.ranking.training import StateOf, label_day
from ml.state.catalogue import Catalogue
from ml.state.heard import heard, heard_before
from ml.state.log import Log
from ml.state.requests import Requests
from ml.state.state import State

# Genres and tags of most tracks: a catalogue with ten thousand tags would make a profile that long a request.
MOST_GENRES = 64
_TASTE = "streams_h63"


@dataclass(frozen=True, slots=True)
class AskedDay:
    """Requests of a test day, the first of them numbered `first`, and the state of that day."""

    first: int
    requests: Requests
    state: State

    def of(self, request: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of the numbered requests are this day's."""
        return (request >= self.first) & (request < self.first + len(self.requests))


def numbered(asked: Sequence[Requests], states: Sequence[State]) -> tuple[AskedDay, ...]:
    """The requests of each state's day, numbered on."""
    sizes = np.cumsum([0, *(len(one) for one in asked)])
    days = zip(sizes.tolist(), asked, states, strict=False)
    return tuple(AskedDay(first, requests, state) for first, requests, state in days)


def asked_days(surface: str, run: TrainingRun, log: Log, state_of: StateOf) -> tuple[AskedDay, ...]:
    """The run's test requests, numbered as in the test examples."""
    users, states = state_of(run.plan.as_of).user_ids, [*map(state_of, run.plan.days("test"))]
    asked = [label_day(surface, "test", run.plan, log, users, one).requests for one in states]
    return numbered(asked, states)


def heard_on(
    days: Sequence[AskedDay],
    request: NDArray[np.int32],
    track: NDArray[np.int32],
    *,
    session: bool = False,
) -> NDArray[np.bool_]:
    """Whether each row's track was heard by its request's listener before the day, or (with `session`)
    up to the request."""
    found, look = np.zeros(len(request), dtype=np.bool_), heard if session else heard_before
    for day in days:
        own = day.of(request)
        number = (request[own] - day.first).astype(np.int32)
        found[own] = look(day.requests, day.state, number, track[own])
    return found


def plays_before(days: Sequence[AskedDay], name: str) -> NDArray[np.float64]:
    """A column of the listeners' state on the day of each request, float64 (n), 0 for unknown ones."""
    parts = [np.zeros(0)]
    for day in days:
        user = day.requests.user
        known = np.where(user >= 0, user, 0)
        column = day.state.users[name] if day.state.users.rows else np.zeros(1)
        parts.append(np.where(user >= 0, column[known], 0.0))
    return np.concatenate(parts).astype(np.float64)


def genre_membership(catalogue: Catalogue) -> sparse.csr_array:
    """p(g|i) (tracks, at most MOST_GENRES) over the genres and tags of most tracks, in equal parts."""
    count = np.bincount(catalogue.genres.indices, minlength=catalogue.genres.shape[1])
    kept = np.sort(np.argsort(-count, kind="stable")[:MOST_GENRES])
    chosen = sparse.csr_array(catalogue.genres[:, kept])
    return shared_membership(chosen.indptr, chosen.indices, len(kept))


def tastes(days: Sequence[AskedDay], member: sparse.csr_array) -> NDArray[np.float64]:
    """Each request's listener in shares of the groups of `member` (tracks, groups): streams that halve in
    63 days, float64 (n, groups), nan for those of whom nothing is known."""
    parts = [np.zeros((0, member.shape[1]))]
    for day in days:
        users, place = np.unique(day.requests.user, return_inverse=True)
        pairs = day.state.user_tracks
        owner, position = pairs.take(users.astype(np.int32))
        weight = pairs.columns[_TASTE][position] if pairs.columns.rows else np.zeros(0)
        parts.append(distribution(owner, pairs.item[position], weight, member, len(users))[place])
    return np.concatenate(parts)
