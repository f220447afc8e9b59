"""The comparison table: every model on the same requests, with intervals.

Belongs here: rows, markdown and Arrow. Does not belong here: how lists are made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.evaluation.averages import user_means
from ml.evaluation.comparisons import holm, p_values
from ml.evaluation.intervals import Interval, column_intervals, resampled_means
from ml.evaluation.metrics import Lists, Truth, find, score

SHOWN = (("ndcg", 10), ("recall", 20), ("hit_rate", 10), ("mrr", 20), ("map", 10))
# Enough for Holm to reach .05 among up to fifty models (ml.evaluation.comparisons.p_values).
RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Row:
    """One model and metric on one surface: its mean, and the reference's advantage over it.

    `p` is two-sided that there is no advantage, Holm-adjusted over the models of the metric; None and
    nan as `advantage`.
    """

    surface: str
    model: str
    metric: str
    value: Interval
    advantage: Interval | None
    p: float | None = None


def _by_user(
    lists: Mapping[str, Lists], truth: Truth, user: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Metrics of SHOWN of every model, float64 (users with something to find, models, metrics)."""
    depths = {k for _, k in SHOWN}
    columns = []
    for shown in lists.values():
        found = find(shown.top(max(depths)), truth)
        at = {k: score(found, truth, k) for k in depths}
        columns += [at[k][metric] for metric, k in SHOWN]
    values = user_means(np.stack(columns, axis=1), user)[1]
    return values[~np.isnan(values[:, 0])].reshape(-1, len(lists), len(SHOWN))


def _adjusted(advantages: Sequence[Interval], means: NDArray[np.float64]) -> list[float]:
    """p of each advantage, Holm-adjusted over the models of a metric; nan, of fewer than two users.

    Advantages are in the order of (model, metric of SHOWN); `means` float64 (resamples, advantages).
    """
    few = np.array([one.users < 2 for one in advantages], dtype=np.bool_)
    chances = np.where(few, np.nan, p_values(means)).reshape(-1, len(SHOWN))
    adjusted = np.stack([holm(column) for column in chances.T], axis=1)
    return [float(one) for one in adjusted.ravel()]


def comparison_rows(
    surface: str,
    lists: Mapping[str, Lists],
    truth: Truth,
    user: NDArray[np.int32],
    *,
    reference: str,
    seed: int,
) -> list[Row]:
    """A row a model and metric of SHOWN; `advantage` = reference - model, paired by user.

    All intervals come from the same draws of users. Models are sorted by NDCG, best first, the
    reference on top.

    Raises:
        EvaluationError: as `metrics.find`.
    """
    if not lists:
        return []
    models, metrics = list(lists), [f"{metric}@{k}" for metric, k in SHOWN]
    others = [name for name in models if name != reference] if reference in lists else []
    values = _by_user(lists, truth, user)
    own = values[:, [models.index(reference)]] if others else values[:, :0]
    gaps = own - values[:, [models.index(name) for name in others]]
    width = (len(models) + len(others)) * len(metrics)
    columns = np.concatenate([values, gaps], axis=1).reshape(-1, width)
    means = resampled_means(columns, seed=seed, resamples=RESAMPLES)
    found = column_intervals(columns, means)
    keys, pairs = list(product(models, metrics)), list(product(others, metrics))
    advantages = found[len(keys) :]
    gap = dict(zip(pairs, advantages, strict=True))
    p = dict(zip(pairs, _adjusted(advantages, means[:, len(keys) :]), strict=True))
    rows = [
        Row(surface, *key, interval, gap.get(key), p.get(key))
        for key, interval in zip(keys, found, strict=False)
    ]
    best = {row.model: row.value.mean for row in rows if row.metric == "ndcg@10"}
    return sorted(rows, key=lambda row: (row.model != reference, -best[row.model], row.model))


def to_markdown(rows: Sequence[Row]) -> str:
    """A table for people: a line a model, a column a metric, the reference's advantage in NDCG@10."""
    metrics = [f"{metric}@{k}" for metric, k in SHOWN]
    lines = [
        "| surface | model | " + " | ".join(metrics) + " | advantage of the first in ndcg@10 |",
        "| --- | --- | " + "--- | " * (len(metrics) + 1),
    ]
    by_model: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        by_model.setdefault((row.surface, row.model), {})[row.metric] = row
    for (surface, model), found in by_model.items():
        cells = [f"{found[name].value.mean:.4f}" for name in metrics]
        advantage = found["ndcg@10"].advantage
        cells.append("" if advantage is None else advantage.text())
        lines.append(f"| {surface} | {model} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def to_arrow(rows: Sequence[Row]) -> pa.Table:
    """Columns surface, model, metric, mean, low, high, users, advantage, advantage_low, advantage_high,
    advantage_p (Holm-adjusted); nan where there is no advantage."""
    nothing = Interval(float("nan"), float("nan"), float("nan"), 0)
    advantages = [row.advantage or nothing for row in rows]
    return pa.table(
        {
            "surface": pa.array([row.surface for row in rows], pa.string()),
            "model": pa.array([row.model for row in rows], pa.string()),
            "metric": pa.array([row.metric for row in rows], pa.string()),
            "mean": pa.array([row.value.mean for row in rows], pa.float64()),
            "low": pa.array([row.value.low for row in rows], pa.float64()),
            "high": pa.array([row.value.high for row in rows], pa.float64()),
            "users": pa.array([row.value.users for row in rows], pa.int64()),
            "advantage": pa.array([item.mean for item in advantages], pa.float64()),
            "advantage_low": pa.array([item.low for item in advantages], pa.float64()),
            "advantage_high": pa.array([item.high for item in advantages], pa.float64()),
            "advantage_p": pa.array(
                [float("nan") if row.p is None else row.p for row in rows], pa.float64()
            ),
        }
    )
