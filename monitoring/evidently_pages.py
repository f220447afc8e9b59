"""Everything that talks to Evidently: column drift, ranking metrics, and the workspace.

Belongs here: turning Arrow tables into Evidently snapshots, with an explicit method for every
column. Does not belong here: verdicts, which rest on our own statistics. pandas is met only here.
"""

import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from monitoring.areas import TITLES

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

# Evidently's page has a floor of 3.7 MB (plotly inlined); 15 columns add 0.5 MB.
MOST_COLUMNS = 15
MOST_ROWS = 5_000
_NAMESPACE = uuid.UUID("7a0f7a2e-5d3c-5f0b-9c51-5e60e0a1d001")


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
    return Report(metrics).run(current, reference, name=name, timestamp=_midnight(day))


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
    return Report(metrics).run(dataset, None, name=name, timestamp=_midnight(day))


def values_at(snapshot: "Snapshot", metric: str) -> list[float]:
    """A ranking metric at the cuts 1 to k, by position.

    Evidently's `rank` label is one too high for NDCG and MRR and right for the others, so the
    label is not used.
    """
    for one in snapshot.dict()["metrics"]:
        if one["metric_name"].startswith(f"{metric}("):
            return [float(value) for value in one["value"]["value"].values()]
    raise KeyError(metric)


def store_snapshot(workspace: Path, area: str, day: date, snapshot: "Snapshot") -> str:
    """Put the day's snapshot into the area's project and return its id.

    Ids follow from area and day, so a repeated day replaces its snapshot and a project is made
    once. The file is written aside and renamed.
    """
    from evidently.legacy.utils import NumpyEncoder
    from evidently.sdk.models import ProjectModel

    # Opening a Workspace reads every snapshot it holds (30 ms each), which makes a day cost what
    # history holds; writing its files does not.
    from evidently.ui.storage.local.base import LocalState

    workspace.mkdir(parents=True, exist_ok=True)
    project_id = uuid.uuid5(_NAMESPACE, area)
    snapshot_id = uuid.uuid5(_NAMESPACE, f"{area}/{day}")
    project = workspace / str(project_id)
    if not (project / "metadata.json").exists():
        model = ProjectModel(id=project_id, name=TITLES[area])
        LocalState(str(workspace)).write_project(model)
    folder = project / "snapshots"
    folder.mkdir(exist_ok=True)
    aside = folder / f".{snapshot_id}.{os.getpid()}"
    aside.write_text(json.dumps(snapshot.dump_dict(), cls=NumpyEncoder), encoding="utf-8")
    aside.replace(folder / f"{snapshot_id}.json")
    return str(snapshot_id)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
