"""Sources, examples and a ranker of a small world, through the functions that a training run calls.

Belongs here: the pure `ml` path from a world to judged lists. Does not belong here: storage, Dagster.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml.candidates.generator import FitInput
from ml.evaluation.metrics import Lists, per_request
from ml.evaluation.splits import Windows
from ml.ranking.examples import Examples, build_examples, concatenate
from ml.ranking.judging import ordered, source_lists, truth_of
from ml.ranking.labels import LabelledRequests
from ml.ranking.model import RankerParameters, train_ranker
from ml.ranking.surface import SurfaceSources
from ml.ranking.training import (
    Sampling,
    TrainingPlan,
    fit_input,
    fit_sources,
    label_day,
    split_examples,
)
from ml.state.log import Log
from ml.state.state import State
from tests.ml.leaks.knowledge import log_of, state_of, vectors_of
from tests.ml.leaks.world import AS_OF, World

SEED = 7
SURFACES = ("home", "now_playing")
SPLITS = ("train", "validation", "test")
RANKER = RankerParameters(seed=SEED, threads=1, rounds=60, early_stopping=15)
_BACK = [AS_OF - timedelta(days=back) for back in range(8, 0, -1)]
PLAN = TrainingPlan(
    AS_OF,
    Windows(train=tuple(_BACK[:4]), validation=tuple(_BACK[4:6]), test=tuple(_BACK[6:])),
    SEED,
    Sampling(train_requests=150, validation_requests=150, test_requests=150, negatives=30),
)


@dataclass
class Life:
    """A world with what training makes of it; everything is made when first asked for, and kept."""

    world: World

    def __post_init__(self) -> None:
        self._states: dict[date, State] = {}
        self._sources: dict[tuple[str, str], SurfaceSources] = {}
        self._examples: dict[tuple[str, str], Examples] = {}

    def state(self, day: date) -> State:
        if day not in self._states:
            self._states[day] = state_of(self.world, day)
        return self._states[day]

    @cached_property
    def log(self) -> Log:
        """The log of the whole world."""
        return log_of(self.world, self.state(AS_OF))

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        return vectors_of(self.world, self.state(AS_OF))

    def fit_input(self, cut: date) -> FitInput:
        return fit_input(self.state(cut), self.log, self.vectors, SEED)

    def sources(self, surface: str, split: str) -> SurfaceSources:
        key = (surface, split)
        if key not in self._sources:
            self._sources[key] = fit_sources(surface, self.fit_input(PLAN.cut(split)))
        return self._sources[key]

    def labelled(self, surface: str, split: str, day: date) -> LabelledRequests:
        return label_day(
            surface, split, PLAN, self.log, self.state(AS_OF).user_ids, self.state(day)
        )

    def examples(self, surface: str, split: str) -> Examples:
        key = (surface, split)
        if key not in self._examples:
            self._examples[key] = split_examples(
                self.sources(surface, split),
                split,
                PLAN,
                self.log,
                self.state(AS_OF).user_ids,
                self.vectors,
                self.state,
            )
        return self._examples[key]

    def moved(self, surface: str, split: str, state: State) -> SurfaceSources:
        """The split's sources in the order of a later day's catalogue."""
        sources = replace(self.sources(surface, split), vectors=None)
        fitted = self.state(PLAN.cut(split)).catalogue.size
        grown = sources.moved(np.arange(fitted, dtype=np.int32), state.catalogue.size)
        return replace(grown, vectors=self.vectors[: state.catalogue.size])

    def shuffled(self, surface: str, split: str, seed: int) -> Examples:
        """The split's examples with the played tracks dealt anew among the requests of each day."""
        parts = []
        for number, day in enumerate(PLAN.days(split)):
            state = self.state(day)
            labelled = dealt(self.labelled(surface, split, day), seed + number)
            negatives = PLAN.negatives(split, len(labelled.requests))
            sources = self.moved(surface, split, state)
            parts.append(build_examples(labelled, sources, state, negatives=negatives, seed=SEED))
        return concatenate(parts)


def uncut(data: FitInput, log: Log) -> FitInput:
    """A fault planted: what a generator would be fitted from if the log were not cut."""
    known = (log.track < data.log.tracks) & (log.user < data.log.users)
    whole = replace(log.select(known), users=data.log.users, tracks=data.log.tracks)
    return replace(data, log=whole, _made={})


def dealt(labelled: LabelledRequests, seed: int) -> LabelledRequests:
    """The same requests; (track, grade) pairs change places, a track that comes twice counts once."""
    order = np.random.default_rng(seed).permutation(len(labelled.track))
    track, grade = labelled.track[order], labelled.grade[order]
    key = labelled.request.astype(np.int64) * (int(track.max(initial=0)) + 1) + track
    _, kept = np.unique(key, return_index=True)
    return replace(labelled, request=labelled.request[kept], track=track[kept], grade=grade[kept])


@dataclass(frozen=True)
class Judgement:
    """NDCG@10 a request of the ranker and of every generator, and who asked."""

    ndcg: dict[str, NDArray[np.float64]]
    listener: NDArray[np.int32]


def judged(surface: str, train: Examples, validation: Examples, test: Examples) -> Judgement:
    """A ranker trained and stopped as in a run, judged on `test` beside the generators."""
    ranker = train_ranker(train.matrix(), validation.matrix(), RANKER)
    truth = truth_of(test, surface)

    def ndcg(lists: Lists) -> NDArray[np.float64]:
        return per_request(lists, truth, 10)["ndcg"]

    found = {name: ndcg(lists) for name, lists in source_lists(test).items()}
    found["segue"] = ndcg(ordered(test, ranker.predict(test.matrix().features)))
    return Judgement(found, test.requests["listener"].to_numpy())
