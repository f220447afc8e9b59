"""What was known around the test requests: the side of the evaluation that no list holds.

Belongs here: time, history and taste behind each request, which tracks were heard, what the catalogue was
like. Does not belong here: lists (ml.ranking.judging) or figures (ml.evaluation).
"""

from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from ml.evaluation.summary import Surroundings
from ml.ranking.asked import AskedDay, asked_days, genre_membership, heard_on, plays_before, tastes
from ml.ranking.run import TrainingRun
from ml.ranking.steps import cut_vectors, run_draw, states_of
from ml.state.catalogue import Catalogue
from ml.state.read_log import read_log
from ml.tables import RECOMMENDED_SURFACES


@dataclass(frozen=True, slots=True)
class Context:
    """Of n test requests of one surface, numbered as in the test examples.

    `at` int64 (n) epoch seconds; `streams` float64 (n) of the listener before the request, 0 where nobody
    is known.
    """

    days: tuple[AskedDay, ...]
    at: NDArray[np.int64]
    streams: NDArray[np.float64]
    around: Surroundings

    def heard(self, request: NDArray[np.int32], track: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether each (request, track) had been played by the listener before the request's day."""
        return heard_on(self.days, request, track)


def read_contexts(
    connection: duckdb.DuckDBPyConnection, run: TrainingRun
) -> tuple[Catalogue, dict[str, Context]]:
    """The catalogue at the run's `as_of`, and the context of every surface that somebody asked for."""
    drawn = run_draw(connection, run)
    state_of = states_of(connection, drawn)
    final = state_of(run.plan.as_of)
    log = read_log(connection, final, drawn)
    vectors = cut_vectors(run, "test")
    contexts = {}
    for surface in RECOMMENDED_SURFACES:
        days = asked_days(surface, run, log, state_of)
        if sum(len(one.requests) for one in days):
            contexts[surface] = context_of(days, final.catalogue, vectors)
    return final.catalogue, contexts


def context_of(
    days: tuple[AskedDay, ...], catalogue: Catalogue, vectors: NDArray[np.float32] | None
) -> Context:
    """Context of the requests of the days; popularity is that of the first day's state.

    `catalogue` begins with those of the states; `vectors` (tracks of `catalogue`, d) or None.
    """
    genres, first = genre_membership(catalogue), days[0].state
    streams = np.zeros(catalogue.size, dtype=np.float32)
    if first.tracks.rows:
        streams[: first.catalogue.size] = first.tracks["streams"]
    around = Surroundings(
        streams,
        catalogue.artist,
        len(catalogue.artist_ids),
        vectors,
        genres,
        tastes(days, genres),
    )
    at = np.concatenate([one.requests.at for one in days])
    return Context(days, at, plays_before(days, "streams"), around)
