"""The one Recommender: batch, command line and service answer through it.

Belongs here: requests in, recommendations out, for a model and a state. Does not belong here: HTTP,
or how models are made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.candidates.merge import Pool
from ml.errors import SegueError
from ml.policy.rules import PolicyRules, Shown, apply_rules
from ml.ranking.features import FeatureMatrix, assemble
from ml.ranking.model import Ranker
from ml.ranking.order import leader_score
from ml.ranking.reasons import explain
from ml.ranking.surface import SurfaceSources
from ml.state.requests import Requests, requests_from_table
from ml.state.state import State
from ml.tables import RECOMMENDATIONS, RECOMMENDED_SURFACES

# Requests answered together: 500 x 250 candidates x 80 features are 40 MB.
_BLOCK = 500


class RequestError(SegueError):
    """A request table that cannot be answered."""


@dataclass(frozen=True, slots=True)
class SurfaceModel:
    """What answers one surface: sources in the order of the state's catalogue, a ranker (None = the
    generator `leader` answers, as validation chose) and the rules."""

    sources: SurfaceSources
    ranker: Ranker | None
    leader: str
    rules: PolicyRules

    def score(
        self, requests: Requests, pool: Pool, state: State
    ) -> tuple[NDArray[np.float32], FeatureMatrix]:
        """(scores, features): the ranker's scores, without one the leader's (ml.ranking.order)."""
        features = assemble(requests, pool, state, self.sources.vectors, self.sources.relations)
        if self.ranker is not None:
            return self.ranker.predict(features), features
        return leader_score(pool.rank, pool.generators, self.leader), features


@dataclass(frozen=True, slots=True)
class Answer:
    """Lists of one block of requests: the pool, its features and scores, and which rows are shown."""

    requests: Requests
    pool: Pool
    features: FeatureMatrix
    score: NDArray[np.float32]
    shown: Shown


@dataclass(frozen=True, slots=True)
class Recommender:
    """A model version bound to the state of a day."""

    version: str
    state: State
    surfaces: Mapping[str, SurfaceModel]

    def on(self, day: date) -> "Recommender":
        """The same recommender with its state decayed to a later day."""
        return Recommender(self.version, self.state.on(day), self.surfaces)

    def answers(
        self, requests: Requests, k: int, *, exclude_heard: bool = False
    ) -> Iterator[Answer]:
        """Answers in blocks of requests, in order."""
        model = self.surfaces[requests.surface]
        for start in range(0, len(requests), _BLOCK):
            index = np.arange(start, min(start + _BLOCK, len(requests)), dtype=np.int64)
            block = requests.select(index)
            pool = model.sources.propose(block, self.state)
            if exclude_heard:
                pool = pool.select(self.unheard(block, pool))
            score, features = model.score(block, pool, self.state)
            shown = apply_rules(
                pool.request, pool.track, score, self.state.catalogue, model.rules, k
            )
            yield Answer(block, pool, features, score, shown)

    def unheard(self, requests: Requests, pool: Pool) -> NDArray[np.int64]:
        """Rows of the pool that neither the listener's history nor the running session holds."""
        heard = self.state.user_tracks.find(requests.user[pool.request], pool.track) >= 0
        owner = np.repeat(np.arange(len(requests)), requests.session_length())
        width = np.int64(self.state.catalogue.size)
        session = np.isin(pool.request * width + pool.track, owner * width + requests.session_track)
        return np.flatnonzero(~heard & ~session)

    def recommend(self, requests: pa.Table, k: int, *, exclude_heard: bool = False) -> pa.Table:
        """Recommendations for a REQUESTS table of any day from the state's on, sorted by
        (request_id, rank).

        Every request gets a list: unknown users and tracks fall back to what fits without them.

        Raises:
            RequestError: a surface that is not recommended, or a time before the state.
        """
        _check(requests, self.state)
        day = np.asarray(requests["at"].combine_chunks().cast(pa.int64())) // 86_400_000_000
        parts = [RECOMMENDATIONS.schema.empty_table()]
        for number in np.unique(day):
            asked = requests.filter(pa.array(day == number))
            recommender = self.on(date(1970, 1, 1) + timedelta(days=int(number)))
            for surface in RECOMMENDED_SURFACES:
                batch = requests_from_table(asked, surface, recommender.state)
                answers = recommender.answers(batch, k, exclude_heard=exclude_heard)
                parts.extend(recommender.table(answer, self.state.valid_on) for answer in answers)
        return pa.concat_tables(parts).sort_by([("request_id", "ascending"), ("rank", "ascending")])

    def table(self, answer: Answer, valid_on: date) -> pa.Table:
        """One block's lists as a RECOMMENDATIONS table; `valid_on` is that of the published state."""
        requests, shown = answer.requests, answer.shown
        size = len(shown.row)
        sources, reasons = explain(requests, answer.pool, shown.row, self.state)
        take = pa.array(shown.request)
        track = pa.array(answer.pool.track[shown.row])
        columns = {
            "request_id": requests.request_ids.take(take),
            "user_id": requests.user_ids.take(take),
            "surface": pa.array([requests.surface] * size, pa.string()),
            "rank": pa.array(shown.rank, pa.int32()),
            "track_id": self.state.catalogue.track_ids.take(track),
            "score": pa.array(answer.score[shown.row].astype(np.float64)),
            # Without exploration slots the policy is deterministic: what is shown had probability 1.
            "propensity": pa.array(np.ones(size)),
            "sources": sources,
            "reasons": reasons,
            "model_version": pa.array([self.version] * size, pa.string()),
            "state_day": pa.array([valid_on - timedelta(days=1)] * size, pa.date32()),
        }
        return pa.table(columns, schema=RECOMMENDATIONS.schema)


def _check(requests: pa.Table, state: State) -> None:
    surfaces = set(requests["surface"].unique().to_pylist())
    if wrong := sorted(str(name) for name in surfaces - set(RECOMMENDED_SURFACES)):
        raise RequestError(
            f"expected surface to be one of {', '.join(RECOMMENDED_SURFACES)}, "
            f"found {', '.join(wrong)}; correct the requests file"
        )
    first = datetime.combine(state.valid_on, datetime.min.time(), tzinfo=UTC)
    earliest = min(requests["at"].to_pylist(), default=first)
    if earliest < first:
        raise RequestError(
            f"expected requests at or after {first:%Y-%m-%d}, when the state begins, found "
            f"{earliest:%Y-%m-%d %H:%M}; use the state of an earlier day"
        )
