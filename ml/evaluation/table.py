"""The comparison table: every model on the same requests, with intervals.

Belongs here: rows, markdown and Arrow. Does not belong here: how lists are made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.evaluation.intervals import Interval, mean_interval, paired_interval
from ml.evaluation.metrics import Lists, Truth, per_request

SHOWN = (("ndcg", 10), ("recall", 20), ("hit_rate", 10), ("mrr", 20), ("map", 10))


@dataclass(frozen=True, slots=True)
class Row:
    """One model and metric on one surface: its mean, and the reference's advantage over it."""

    surface: str
    model: str
    metric: str
    value: Interval
    advantage: Interval | None


def comparison_rows(
    surface: str,
    lists: Mapping[str, Lists],
    truth: Truth,
    user: NDArray[np.int32],
    *,
    reference: str,
    seed: int,
) -> list[Row]:
    """A row a model and metric of SHOWN; `advantage` = reference - model, paired by request.

    Models are sorted by NDCG, best first, the reference on top.
    """
    values = {
        name: {f"{metric}@{k}": per_request(shown, truth, k)[metric] for metric, k in SHOWN}
        for name, shown in lists.items()
    }
    rows = []
    for name, metrics in values.items():
        for metric, value in metrics.items():
            other = values.get(reference, {}).get(metric)
            advantage = None
            if other is not None and name != reference:
                advantage = paired_interval(other, value, user, seed=seed)
            interval = mean_interval(value, user, seed=seed)
            rows.append(Row(surface, name, metric, interval, advantage))
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
    """Columns surface, model, metric, mean, low, high, users, advantage, advantage_low, advantage_high."""
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
        }
    )
