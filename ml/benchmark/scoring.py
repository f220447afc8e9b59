"""Scores of lists on a case: all requests, missing lists and unknown tracks count as misses.

Belongs here: from files of requests, truth and lists to rows with intervals. Does not belong here:
metric formulas (ml.evaluation).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.evaluation.intervals import Interval, request_interval
from ml.evaluation.metrics import Lists, Truth, per_request
from ml.state.catalogue import positions

# Name, metric, depth. HR@20 of one relevant track is what session papers call P@20.
METRICS = (
    ("HR@10", "hit_rate", 10),
    ("NDCG@10", "ndcg", 10),
    ("Recall@20", "recall", 20),
    ("HR@20", "hit_rate", 20),
    ("MRR@20", "mrr", 20),
    ("NDCG@20", "ndcg", 20),
)
SEGUE = "segue"


@dataclass(frozen=True, slots=True)
class Score:
    """A model's mean by metric with its interval, and Segue's advantage over it."""

    model: str
    values: Mapping[str, Interval]
    advantages: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Requests and truth as indices; `listener` int32 (requests) is resampled."""

    request_ids: pa.StringArray
    track_ids: pa.StringArray
    truth: Truth
    listener: NDArray[np.int32]


def _asked(requests: pa.Table, truth: pa.Table) -> _Asked:
    ids = requests["request_id"].combine_chunks()
    tracks = pc.unique(truth["track_id"].combine_chunks())
    request, track = positions(truth["request_id"], ids), positions(truth["track_id"], tracks)
    order = np.lexsort((track, request))
    relevant = Truth(request[order], track[order], np.ones(len(order), dtype=np.int8), len(ids))
    listener = np.arange(len(ids), dtype=np.int32)
    names = truth["listener"].combine_chunks()
    listener[request] = positions(names, pc.unique(names))
    return _Asked(ids, tracks, relevant, listener)


def _lists(asked: _Asked, lists: pa.Table) -> Lists:
    """Tracks that are relevant nowhere keep a rank and the index -1."""
    request = positions(lists["request_id"], asked.request_ids)
    track = positions(lists["track_id"], asked.track_ids)
    rank = lists["rank"].to_numpy().astype(np.int32)
    order = np.lexsort((rank, request))
    order = order[request[order] >= 0]
    return Lists(request[order], track[order], rank[order])


def scores(
    requests: pa.Table, truth: pa.Table, lists: Mapping[str, pa.Table], *, seed: int
) -> list[Score]:
    """A Score a model, best NDCG@20 first, Segue on top; means over requests, as published.

    `requests` has request_id; `truth` request_id, track_id, listener; each of `lists` request_id,
    track_id, rank.
    """
    asked = _asked(requests, truth)
    found = {}
    for model, table in lists.items():
        shown = _lists(asked, table)
        found[model] = {
            name: per_request(shown, asked.truth, k)[metric] for name, metric, k in METRICS
        }
    rows = []
    for model, values in found.items():
        means = {n: request_interval(v, asked.listener, seed=seed) for n, v in values.items()}
        over = (
            {}
            if model == SEGUE
            else {
                n: request_interval(found[SEGUE][n] - v, asked.listener, seed=seed)
                for n, v in values.items()
            }
        )
        rows.append(Score(model, means, over))
    return sorted(
        rows, key=lambda row: (row.model != SEGUE, -row.values["NDCG@20"].mean, row.model)
    )


def means(requests: pa.Table, truth: pa.Table, lists: pa.Table) -> dict[str, float]:
    """Each metric's mean over requests for one model's lists; columns as in `scores`."""
    asked = _asked(requests, truth)
    shown = _lists(asked, lists)
    return {
        name: float(np.nanmean(per_request(shown, asked.truth, k)[metric]))
        for name, metric, k in METRICS
    }
