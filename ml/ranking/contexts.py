"""What was known around the test requests: the side of the evaluation that no list holds.

Belongs here: time, history and taste behind each request, which tracks were heard, what the catalogue was
like. Does not belong here: lists (ml.ranking.judging) or figures (ml.evaluation).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.evaluation.calibration import distribution, shared_membership
from ml.evaluation.summary import Surroundings
from ml.ranking.run import TrainingRun
from ml.ranking.steps import cut_vectors, states_of
from ml.ranking.training import label_day
from ml.state.catalogue import Catalogue
from ml.state.read import read_log
from ml.state.requests import Requests
from ml.state.state import State
from ml.tables import RECOMMENDED_SURFACES

# Genres and tags of most tracks: a catalogue with ten thousand tags would make a profile that long a request.
MOST_GENRES = 64
_TASTE = "streams_h63"


@dataclass(frozen=True, slots=True)
class Context:
    """Of n test requests of one surface, numbered as in the test examples.

    `day` int32 (n) index into `states`; `user` int32 (n), -1 = not known on the day; `at` int64 (n) epoch
    seconds; `streams` float64 (n) of the listener before the request, 0 where nobody is known.
    """

    day: NDArray[np.int32]
    user: NDArray[np.int32]
    at: NDArray[np.int64]
    streams: NDArray[np.float64]
    states: tuple[State, ...]
    around: Surroundings

    def heard(self, request: NDArray[np.int32], track: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether each (request, track) had been played by the listener before the request's day."""
        found = np.zeros(len(request), dtype=np.bool_)
        of = self.day[request]
        for number, state in enumerate(self.states):
            row = np.flatnonzero(of == number)
            known = np.where(track[row] < state.catalogue.size, track[row], -1).astype(np.int32)
            found[row] = state.user_tracks.find(self.user[request[row]], known) >= 0
        return found


def read_contexts(
    connection: duckdb.DuckDBPyConnection, run: TrainingRun
) -> tuple[Catalogue, dict[str, Context]]:
    """The catalogue at the run's `as_of`, and the context of every surface that somebody asked for."""
    state_of = states_of(connection)
    final = state_of(run.plan.as_of)
    log = read_log(connection, final)
    states = tuple(state_of(day) for day in run.plan.days("test"))
    vectors = cut_vectors(run, "test")
    contexts = {}
    for surface in RECOMMENDED_SURFACES:
        asked = [
            label_day(surface, "test", run.plan, log, final.user_ids, state).requests
            for state in states
        ]
        if sum(len(one) for one in asked):
            contexts[surface] = context_of(asked, states, final.catalogue, vectors)
    return final.catalogue, contexts


def context_of(
    asked: Sequence[Requests],
    states: tuple[State, ...],
    catalogue: Catalogue,
    vectors: NDArray[np.float32] | None,
) -> Context:
    """Context of the requests `asked` of each state's day; popularity is that of the first state.

    `catalogue` begins with those of the states; `vectors` (tracks of `catalogue`, d) or None.
    """
    genres = genre_membership(catalogue)
    days = list(zip(asked, states, strict=True))
    streams = np.zeros(catalogue.size, dtype=np.float32)
    if states[0].tracks.rows:
        streams[: states[0].catalogue.size] = states[0].tracks["streams"]
    around = Surroundings(
        streams,
        catalogue.artist,
        len(catalogue.artist_ids),
        vectors,
        genres,
        np.concatenate([_tastes(requests, state, genres) for requests, state in days]),
    )
    return Context(
        np.repeat(np.arange(len(asked), dtype=np.int32), [len(one) for one in asked]),
        np.concatenate([requests.user for requests in asked]),
        np.concatenate([requests.at for requests in asked]),
        np.concatenate([_histories(requests, state) for requests, state in days]),
        states,
        around,
    )


def genre_membership(catalogue: Catalogue) -> sparse.csr_array:
    """p(g|i) (tracks, at most MOST_GENRES) over the genres and tags of most tracks, in equal parts."""
    count = np.bincount(catalogue.genres.indices, minlength=catalogue.genres.shape[1])
    kept = np.sort(np.argsort(-count, kind="stable")[:MOST_GENRES])
    chosen = sparse.csr_array(catalogue.genres[:, kept])
    return shared_membership(chosen.indptr, chosen.indices, len(kept))


def _histories(requests: Requests, state: State) -> NDArray[np.float64]:
    """Streams of each request's listener, float64 (requests)."""
    if not state.users.rows:
        return np.zeros(len(requests))
    known = np.where(requests.user >= 0, requests.user, 0)
    return np.where(requests.user >= 0, state.users["streams"][known], 0.0)


def _tastes(requests: Requests, state: State, genres: sparse.csr_array) -> NDArray[np.float64]:
    """Each request's listener by genre: streams that halve in 63 days, float64 (requests, groups)."""
    pairs, users = state.user_tracks, len(state.user_ids)
    owner = np.repeat(np.arange(users), np.diff(pairs.indptr))
    profile = distribution(owner, pairs.item, pairs.columns[_TASTE], genres[: pairs.items], users)
    # A row of its own for those whom nobody knows.
    profile = np.concatenate([profile, np.full((1, genres.shape[1]), np.nan)])
    return profile[requests.user]
