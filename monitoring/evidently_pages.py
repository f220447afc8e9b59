"""Evidently's snapshots: column drift, ranking metrics, plain figures.

Belongs here: turning Arrow tables into Evidently snapshots, with an explicit method for every
column. Does not belong here: verdicts, which rest on our own statistics, or files (workspace). pandas
is met only here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

# Evidently's page has a floor of 3.7 MB (plotly inlined); 15 columns add 0.5 MB.
MOST_COLUMNS = 15
MOST_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Drift:
    """Two tables with the same columns, and the method and threshold Evidently draws each with."""

    current: pa.Table
    reference: pa.Table
    thresholds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows `user`, `item`, `position` (1-based), `relevant` (0 or 1), one per listed item and one
    below the list for every relevant item the list missed; `k` is the cut."""

    rows: pa.Table
    k: int


def sampled(table: pa.Table, rows: int, seed: Sequence[int]) -> pa.Table:
    """At most `rows` rows without replacement, in their original order."""
    if table.num_rows <= rows:
        return table
    generator = np.random.default_rng(list(seed))
    return table.take(np.sort(generator.choice(table.num_rows, rows, replace=False)))


def drift_snapshot(drift: Drift, name: str, day: date) -> "Snapshot":
    """One ValueDrift per column of `thresholds`, at most MOST_COLUMNS in the order given.

    Strings use the Jensen-Shannon distance, numbers the normalised Wasserstein distance.
    """
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    columns = list(drift.thresholds)[:MOST_COLUMNS]
    words = [one for one in columns if pa.types.is_string(drift.current.schema.field(one).type)]
    definition = DataDefinition(
        numerical_columns=[one for one in columns if one not in words], categorical_columns=words
    )
    current, reference = (
        Dataset.from_pandas(table.select(columns).to_pandas(), data_definition=definition)
        for table in (drift.current, drift.reference)
    )
    metrics = [
        ValueDrift(
            column=one,
            method="jensenshannon" if one in words else "wasserstein",
            threshold=drift.thresholds[one],
        )
        for one in columns
    ]
    return Report(metrics).run(current, reference, name=name, timestamp=midnight(day))


def ranking_snapshot(ranked: Ranked, name: str, day: date) -> "Snapshot":
    """NDCG, recall, hit rate and MRR up to `k`.

    Evidently normalises by what is in its table, so the rows must hold every missed relevant item
    and every evaluated user: then it agrees with ml.evaluation to 1e-9.
    """
    from evidently import DataDefinition, Dataset, Recsys, Report
    from evidently.metrics import MRR, NDCG, HitRate, RecallTopK

    definition = DataDefinition(
        numerical_columns=["position", "relevant"],
        ranking=[
            Recsys(
                user_id="user",
                item_id="item",
                target="relevant",
                prediction="position",
                recommendations_type="rank",
            )
        ],
    )
    dataset = Dataset.from_pandas(ranked.rows.to_pandas(), data_definition=definition)
    metrics = [metric(k=ranked.k) for metric in (NDCG, RecallTopK, HitRate, MRR)]
    return Report(metrics).run(dataset, None, name=name, timestamp=midnight(day))


def values_at(snapshot: "Snapshot", metric: str) -> list[float]:
    """A ranking metric at the cuts 1 to k, by position.

    Evidently's `rank` label is one too high for NDCG and MRR and right for the others, so the
    label is not used.

    Raises:
        KeyError: the snapshot holds no such metric.
    """
    for one in snapshot.dict()["metrics"]:
        if one["metric_name"].startswith(f"{metric}("):
            return [float(value) for value in one["value"]["value"].values()]
    raise KeyError(metric)


def figures_snapshot(figures: Mapping[str, float], name: str, day: date) -> "Snapshot":
    """One MeanValue per plain figure of the day: a dashboard draws nothing but metrics of snapshots,
    and Evidently's ranking metrics have a value a cut, which its panels cannot tell apart."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import MeanValue

    row = pa.table({measure: [value] for measure, value in figures.items()}).to_pandas()
    definition = DataDefinition(numerical_columns=list(figures))
    dataset = Dataset.from_pandas(row, data_definition=definition)
    metrics = [MeanValue(column=measure) for measure in figures]
    return Report(metrics).run(dataset, None, name=name, timestamp=midnight(day))


def midnight(day: date) -> datetime:
    """The instant at which a day begins, in UTC."""
    return datetime.combine(day, time(), tzinfo=UTC)
