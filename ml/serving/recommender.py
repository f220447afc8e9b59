"""The one Recommender: batch, command line and service answer through it.

Belongs here: requests in, recommendations out, for a model and a state. Does not belong here: HTTP,
or how models are made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.candidates.bounds import kth_best
from ml.candidates.merge import Pool, merge
from ml.candidates.popularity import Popularity
from ml.errors import SegueError
from ml.policy.one_list import one_list
from ml.policy.rules import PolicyRules, Shown, apply_rules
from ml.ranking.features import FeatureMatrix, assemble
from ml.ranking.judging import RANKER
from ml.ranking.model import Ranker
from ml.ranking.order import POPULARITY, leader_score, serving_score, strangers
from ml.ranking.reasons import explain
from ml.ranking.surface import LeftOut, SurfaceSources
from ml.serving.pace import PATIENT, Pace, Way
from ml.serving.wishes import ANYTHING, Wishes, unwanted
from ml.state.heard import heard, skipped_today
from ml.state.requests import Requests, requests_from_table
from ml.state.state import State
from ml.tables import RECOMMENDATIONS, RECOMMENDED_SURFACES

# Requests answered together: 100 x 500 candidates x 90 features are 18 MB, below the 32 MB from which on the
# allocator asks the system for fresh pages at every call: with 200 features took up to twice as long.
_BLOCK = 100
# Popular tracks that answer in the greatest hurry: what is filtered must leave a list.
_POPULAR = 200
# Rows that the rules look at before all the others, for each row shown.
_TRIED = 4


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
    strangers: str = RANKER

    def propose(
        self, requests: Requests, state: State, way: Way, left_out: LeftOut | None = None
    ) -> Pool:
        """The candidates of all sources; in the greatest hurry those of popularity alone."""
        if way is not Way.POPULARITY:
            return self.sources.propose(requests, state, left_out)
        popular = Popularity().generate(requests, state, _POPULAR)
        return merge({POPULARITY: popular}, {POPULARITY: _POPULAR})

    def score(
        self, requests: Requests, pool: Pool, state: State, way: Way, pace: Pace
    ) -> tuple[NDArray[np.float32], FeatureMatrix]:
        """(scores, features): the ranker's scores; without one, or without the time for it, the
        leader's (ml.ranking.order), then without features."""
        if way is not Way.CHOSEN:
            nothing = np.zeros((len(pool.track), 0), dtype=np.float32)
            leader = self.leader if way is Way.LEADER else POPULARITY
            return leader_score(pool.rank, pool.generators, leader), FeatureMatrix((), nothing)
        features = assemble(requests, pool, state, self.sources.vectors, self.sources.relations)
        pace.passed("features")
        ranked = None if self.ranker is None else self.ranker.predict(features)
        stranger = strangers(requests, state)[pool.request]
        score = serving_score(
            ranked, pool.rank, pool.generators, stranger, self.leader, self.strangers
        )
        return score, features


def blocks(requests: Requests) -> Iterator[Requests]:
    """The requests in blocks that are answered together, in order."""
    for start in range(0, len(requests), _BLOCK):
        end = min(start + _BLOCK, len(requests))
        yield requests.select(np.arange(start, end, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Answer:
    """Lists of one block of requests: the pool, its features and scores, which rows are shown, and the
    way they were made."""

    requests: Requests
    pool: Pool
    features: FeatureMatrix
    score: NDArray[np.float32]
    shown: Shown
    way: Way = Way.CHOSEN


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
        for block in blocks(requests):
            yield self.answer(block, k, exclude_heard=exclude_heard)

    def answer(
        self,
        block: Requests,
        k: int,
        *,
        exclude_heard: bool = False,
        wishes: Wishes = ANYTHING,
        pace: Pace = PATIENT,
    ) -> Answer:
        """The answer to one block; where `pace` is late before a stage, the next way of Way is taken."""
        model = self.surfaces[block.surface]
        way = Way.POPULARITY if pace.late() else Way.CHOSEN
        known = partial(heard, block, self.state) if exclude_heard else None
        pool = model.propose(block, self.state, way, known)
        kept = self.allowed(block, pool, wishes, exclude_heard)
        pool = pool if len(kept) == len(pool.track) else pool.select(kept)
        pace.passed("candidates")
        if way is Way.CHOSEN and pace.late():
            way = Way.LEADER
        score, features = model.score(block, pool, self.state, way, pace)
        pace.passed("ranker")
        shown = _shown(len(block), pool, score, self.state, model.rules, k)
        pace.passed("policy")
        return Answer(block, pool, features, score, shown, way)

    def allowed(
        self, requests: Requests, pool: Pool, wishes: Wishes, exclude_heard: bool
    ) -> NDArray[np.int64]:
        """Rows of the pool that may be ranked: not skipped today, not unwanted, where asked not heard."""
        listened = requests.day is not None and len(requests.day.track)
        if wishes == ANYTHING and not listened and not exclude_heard:
            return np.arange(len(pool.track))
        out = skipped_today(requests, self.state, pool.request, pool.track)
        out |= unwanted(pool, self.state, wishes)
        if exclude_heard:
            out |= heard(requests, self.state, pool.request, pool.track)
        return np.flatnonzero(~out)

    def unheard(self, requests: Requests, pool: Pool) -> NDArray[np.int64]:
        """Rows of the pool that neither the listener's history nor the running session holds."""
        return np.flatnonzero(~heard(requests, self.state, pool.request, pool.track))

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


def _shown(
    size: int, pool: Pool, score: NDArray[np.float32], state: State, rules: PolicyRules, k: int
) -> Shown:
    """The rules over the pool of `size` requests. The best few rows of each are tried first: a rule looks
    at better rows only, so the full list of those is the list of all."""
    bound = kth_best(size, pool.request, score, _TRIED * k)
    best = (score >= (bound if size == 1 else bound[pool.request])).nonzero()[0]
    if size == 1 and not rules.blocked_artists:
        row = best[one_list(pool.track[best], score[best], state.catalogue, rules, k)]
        if len(row) < k and len(best) < len(score):
            row = one_list(pool.track, score, state.catalogue, rules, k)
        rank = np.arange(1, len(row) + 1, dtype=np.int32)
        return Shown(row, np.zeros(len(row), dtype=np.int32), rank)
    request = pool.request[best]
    shown = apply_rules(request, pool.track[best], score[best], state.catalogue, rules, k)
    if len(shown.row) < size * k:
        tried, held, found = (
            np.bincount(of, minlength=size) for of in (request, pool.request, shown.request)
        )
        if ((found < k) & (tried < held)).any():
            return apply_rules(pool.request, pool.track, score, state.catalogue, rules, k)
    return Shown(best[shown.row], shown.request, shown.rank)


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
