"""Baselines of RecTools, run by another Python: the same cuts, samples and budget as the other baselines.

Belongs here: what is tried on which task and the choice of a configuration. Does not belong here: the
files between the processes (ml.benchmark.exchange) or RecTools itself (ml.benchmark.rectools_child).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml.benchmark.baselines import CHOSEN_BY, TUNED_ON, Configuration, lists_of, popularity
from ml.benchmark.cases import Case
from ml.benchmark.exchange import ask, write_exchange
from ml.benchmark.interactions import Interactions, read_interactions
from ml.benchmark.scoring import means


@dataclass(frozen=True, slots=True)
class Costs:
    """What a model took, as the child measured it; `tuning_seconds` of all its configurations, processes
    and the reading of files included."""

    fit_seconds: float
    answer_seconds: float
    megabytes: float
    tuning_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Answered:
    """A baseline's lists on a case, the configuration that was chosen for it, and its costs."""

    name: str
    lists: pa.Table
    configuration: Configuration
    costs: Costs
    requests: int


@dataclass(frozen=True, slots=True)
class _Extra:
    model: str
    configurations: Sequence[Configuration]
    # Why sessions are left out; empty where they are not.
    not_sessions: str = ""


# Batches of 64 listeners, not passes over all of them, bound the time: 600 are 35 passes over 1,090 listeners.
_SASREC = tuple(
    {"factors": f, "dropout": d, "learning_rate": r, "steps": s}
    for f, d, r, s in (
        (64.0, 0.2, 0.003, 600.0),
        (64.0, 0.4, 0.003, 600.0),
        (64.0, 0.2, 0.001, 900.0),
        (128.0, 0.4, 0.002, 450.0),
    )
)
_TWO_STAGE = tuple(
    {"candidates": c, "negatives": n, "learning_rate": r, "leaves": v, "trees": t}
    for c, n, r, v, t in (
        (100.0, 40.0, 0.05, 7.0, 100.0),
        (200.0, 40.0, 0.05, 7.0, 100.0),
        (200.0, 100.0, 0.1, 15.0, 60.0),
        (400.0, 40.0, 0.05, 7.0, 100.0),
    )
)
EXTRAS: Mapping[str, _Extra] = {
    "SASRec (RecTools)": _Extra("sasrec", _SASREC),
    "two-stage (RecTools)": _Extra(
        "two_stage",
        _TWO_STAGE,
        "its iALS answers only listeners that it was fitted on, and every session is a new one",
    ),
}


def left_out(case: Case) -> Mapping[str, str]:
    """Baselines that do not fit the case's protocol, with the reason."""
    sessions = case.surface == "now_playing"
    return {name: one.not_sessions for name, one in EXTRAS.items() if sessions and one.not_sessions}


def extra_lists(
    case: Case, validation: Case, k: int, *, python: Path, seed: int
) -> Iterator[Answered]:
    """Each baseline that fits the protocol, as the best of its configurations on `validation`.

    Files are exchanged in folders of the cases; a configuration is chosen on the same sample of
    requests, by the same metric, as those of the other baselines.

    Raises:
        BenchmarkError: the other Python failed; its last words follow.
    """
    sample = read_interactions(validation).sampled(TUNED_ON, seed)
    earlier = _cut(validation, sample, "extras-chosen", python, k, seed)
    cut = _cut(case, read_interactions(case), "extras", python, k, seed)
    excluded = left_out(case)
    for name, extra in EXTRAS.items():
        if name in excluded:
            continue
        began = time.monotonic()
        best = _best(earlier, extra)
        tuning = time.monotonic() - began
        lists, costs = cut.answer(extra.model, best)
        costs = replace(costs, tuning_seconds=tuning)
        yield Answered(name, lists, best, costs, len(cut.data.request_ids))


@dataclass(frozen=True, slots=True)
class _Cut:
    """A case, its requests (all or a sample) and who answers them."""

    case: Case
    data: Interactions
    folder: Path
    python: Path
    k: int
    seed: int

    def answer(self, model: str, configuration: Configuration) -> tuple[pa.Table, Costs]:
        """Lists of a configuration and what they cost."""
        job = {
            "model": model,
            "configuration": dict(configuration),
            "k": self.k,
            "seed": self.seed,
            "exclude_heard": self.case.exclude_heard,
            "label_days": self.case.horizon,
        }
        lists, costs = ask(self.python, self.folder, job)
        return _completed(lists, self.data, self.case, self.k), Costs(**costs)


def _cut(case: Case, data: Interactions, name: str, python: Path, k: int, seed: int) -> _Cut:
    folder = case.folder / name
    write_exchange(case, data, folder, seed=seed)
    return _Cut(case, data, folder, python, k, seed)


def _best(cut: _Cut, extra: _Extra) -> Configuration:
    if len(extra.configurations) == 1:
        return extra.configurations[0]
    asked = pa.table({"request_id": cut.data.request_ids})
    truth = pq.read_table(cut.case.truth)
    truth = truth.filter(pc.is_in(truth["request_id"], cut.data.request_ids))
    values = [
        means(asked, truth, cut.answer(extra.model, one)[0])[CHOSEN_BY]
        for one in extra.configurations
    ]
    return extra.configurations[values.index(max(values))]


def _completed(lists: pa.Table, data: Interactions, case: Case, k: int) -> pa.Table:
    """The lists, and the most played for requests that have none, as with the other baselines."""
    without = pc.invert(pc.is_in(data.request_ids, lists["request_id"].combine_chunks()))
    row = np.flatnonzero(without.to_numpy(zero_copy_only=False))
    if not len(row):
        return lists
    rest = data.chosen(row)
    most = lists_of(popularity(rest, {"half_life": np.inf}), rest, case, k)
    return pa.concat_tables([lists.cast(most.schema), most])
