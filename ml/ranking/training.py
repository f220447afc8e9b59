"""From the log to fitted sources and examples, window by window.

Belongs here: which model sees what (a cut for every label window). Does not belong here: storage
layout of a run or Dagster.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.candidates.generator import FitInput, Generator
from ml.candidates.plan import BASELINES, fit_generators
from ml.evaluation.splits import Windows
from ml.ranking.examples import Examples, build_examples, concatenate
from ml.ranking.labels import LABELS, LabelledRequests
from ml.ranking.model import RankerParameters
from ml.ranking.surface import SurfaceSources
from ml.state.log import Log
from ml.state.state import State

SPLITS = ("train", "validation", "test")
SERVE = "serve"

StateOf = Callable[[date], State]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How many requests a label day gives at most, negatives a training request at least, for how many days a Home
    list is judged by what is played (`horizon`), and how many days are left out before each split (`gap`).

    Learned from: the latest whole days of at most `latest_listens`, and of their listens about
    `drawn_listens`, those of listeners drawn by id. Training at 20 million listens: 3 million keep what
    the steps hold below 8 GB.
    """

    train_requests: int = 1_200
    validation_requests: int = 600
    test_requests: int = 1_500
    negatives: int = 30
    horizon: int = 1
    gap: int = 0
    latest_listens: int = 20_000_000
    drawn_listens: int = 3_000_000

    def requests(self, split: str, days: int) -> int:
        """The most requests a day of `split`, which has `days` label days; a single validation day gives those of
        two, as what serves is chosen on them."""
        a_day = int(getattr(self, f"{split}_requests"))
        return 2 * a_day if split == "validation" and days == 1 else a_day

    def negatives_of(self, requests: int) -> int:
        """Negatives of each of a training day's `requests`: `negatives`, and where there are fewer requests than a
        day may give, what they leave free of its rows.

        With 25 radio stations a day thirty negatives stood beside a hundred tracks played: NDCG@20 on two
        validation days .707 and .577 with thirty, .753 and .652 with all.
        """
        return max(self.negatives, self.negatives * self.train_requests // max(1, requests))


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What one training run may see (everything known before `as_of`) and what it trains with.

    `parameters` are the rankers' by surface where a search found better ones than the defaults.
    """

    as_of: date
    windows: Windows
    seed: int
    sampling: Sampling
    parameters: Mapping[str, RankerParameters] = field(default_factory=dict)

    def ranker_parameters(self, surface: str) -> RankerParameters:
        """Hyper-parameters of the surface's ranker, drawn from the plan's seed."""
        return replace(self.parameters.get(surface, RankerParameters()), seed=self.seed)

    def cut(self, split: str) -> date:
        """Fitted parts for `split` see nothing known at or after this day's 00:00 UTC: the gap lies between it and
        the first label day, whose state holds what is known by then, as in serving."""
        if split == SERVE:
            return self.as_of
        return self.days(split)[0] - timedelta(days=self.sampling.gap)

    def closed(self, split: str) -> date:
        """The day at whose 00:00 UTC the label window of `split` closes: the next one begins. What arrives late
        in the gap between the two is counted."""
        after = {"train": "validation", "validation": "test"}
        return self.days(after[split])[0] if split in after else self.as_of

    def days(self, split: str) -> tuple[date, ...]:
        """Label days of `split`."""
        return tuple(getattr(self.windows, split))

    def negatives(self, split: str, requests: int) -> int | None:
        """How many candidates that were not played each of a label day's `requests` keeps, None for all."""
        return self.sampling.negatives_of(requests) if split == "train" else None


def fit_input(
    state: State,
    log: Log,
    vectors: NDArray[np.float32] | None,
    seed: int,
    settled: date | None = None,
) -> FitInput:
    """What a generator may see at `state.valid_on`; `log` may run further and is cut here."""
    size = state.catalogue.size
    past = replace(log.before(state.valid_on), users=len(state.user_ids), tracks=size)
    known = None if vectors is None else vectors[:size]
    return FitInput(past, state.catalogue, state, known, state.valid_on, seed, settled)


def fit_sources(
    surface: str, data: FitInput, names: Collection[str] | None = None
) -> SurfaceSources:
    """The generators of the surface's plan (the grounded, or the named ones), fitted."""
    return SurfaceSources(surface, fit_generators(surface, data, names), data.vectors)


def label_day(
    surface: str, split: str, plan: TrainingPlan, log: Log, user_ids: pa.StringArray, state: State
) -> LabelledRequests:
    """The labelled requests of one day, sampled by (seed, day).

    Labels are what was known when the split's window closed: a listen of the window that arrives later
    was not there when the next split began.
    """
    seed = plan.seed * 100_003 + state.valid_on.toordinal()
    known = log.before(plan.closed(split))
    maximum = plan.sampling.requests(split, len(plan.days(split)))
    horizon = plan.sampling.horizon
    return LABELS[surface](known, user_ids, state, maximum=maximum, seed=seed, horizon=horizon)


def grown(
    sources: SurfaceSources, fitted: int, vectors: NDArray[np.float32] | None, state: State
) -> SurfaceSources:
    """Sources in the order of a later day's catalogue, which begins with the `fitted` tracks of their own; `vectors`
    (all tracks, d) as documents stood when they were fitted."""
    size = state.catalogue.size
    moved = replace(sources, vectors=None).moved(np.arange(fitted, dtype=np.int32), size)
    return replace(moved, vectors=None if vectors is None else vectors[:size])


def split_examples(
    sources: SurfaceSources,
    split: str,
    plan: TrainingPlan,
    log: Log,
    user_ids: pa.StringArray,
    vectors: NDArray[np.float32] | None,
    state_of: StateOf,
) -> Examples:
    """Examples of every label day of `split`, in day order.

    `vectors` (all tracks, d) as documents stood at the split's cut; `sources` fitted at that cut.
    """
    parts = []
    fitted = state_of(plan.cut(split)).catalogue.size
    for day in plan.days(split):
        state = state_of(day)
        moved = grown(sources, fitted, vectors, state)
        labelled = label_day(sources.surface, split, plan, log, user_ids, state)
        negatives = plan.negatives(split, len(labelled.requests))
        parts.append(build_examples(labelled, moved, state, negatives=negatives, seed=plan.seed))
    return concatenate(parts)


def baseline_lists(
    surface: str,
    data: FitInput,
    plan: TrainingPlan,
    log: Log,
    user_ids: pa.StringArray,
    state_of: StateOf,
    k: int,
) -> pa.Table:
    """Lists of the baselines that are no source of the surface, on the test requests.

    Columns: model, request int32 (numbered as in the test examples), track int32, rank int32.
    """
    fitted: Mapping[str, Generator] = {
        generator.name: generator.fit(data) for generator in BASELINES[surface]
    }
    parts: list[pa.Table] = []
    offset = 0
    for day in plan.days("test"):
        state = state_of(day)
        labelled = label_day(surface, "test", plan, log, user_ids, state)
        position = np.arange(data.catalogue.size, dtype=np.int32)
        for name, generator in fitted.items():
            moved = type(generator).restore(generator.arrays(), position, state.catalogue.size)
            parts.append(_baseline(name, moved, labelled, state, k, offset))
        offset += len(labelled.requests)
    return pa.concat_tables(parts) if parts else _baseline_schema().empty_table()


def _baseline_schema() -> pa.Schema:
    kinds = {"model": pa.string(), "request": pa.int32(), "track": pa.int32(), "rank": pa.int32()}
    return pa.schema(list(kinds.items()))


def _baseline(
    name: str, generator: Generator, labelled: LabelledRequests, state: State, k: int, offset: int
) -> pa.Table:
    found = generator.generate(labelled.requests, state, k)
    columns = {
        "model": pa.array([name] * len(found.request), pa.string()),
        "request": (found.request + offset).astype(np.int32),
        "track": found.track,
        "rank": found.rank,
    }
    return pa.table(columns, schema=_baseline_schema())
