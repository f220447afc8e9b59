"""From catalogue text to track vectors.

Belongs here: the three embedding assets; the first begins a training run. Does not belong here:
encoding (ml.embeddings).
"""

from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ml.embeddings.encoder import EncoderConfig
from ml.errors import SegueError
from ml.evaluation.splits import bounded_horizon, label_windows, widened
from ml.ranking.run import TrainingRun, begin_run, current_run
from ml.ranking.steps import (
    fit_encoder,
    run_draw,
    run_encoder,
    write_documents,
    write_vectors,
)
from ml.ranking.training import SERVE, SPLITS, Sampling, TrainingPlan
from ml.ranking.tuned import read_tuned
from ml.state.read_log import days_with_listens, listeners_a_day
from orchestration.groups import in_group
from orchestration.keys import (
    LISTENS_MODEL,
    TEXT_ENCODER,
    TRACK_DOCUMENTS,
    TRACK_VECTORS,
    TRACKS_MODEL,
    WAREHOUSE_POOL,
)
from orchestration.resources import HomeResource, WarehouseResource
from orchestration.warehouse_facts import built_until


class TrainingConfig(dg.Config):
    """`as_of`: the training sees nothing known on or after this day (ISO; empty = all that is built).
    `seed` draws requests, negatives and every fitted part; `horizon` is for how many days a Home list has
    to last: its labels are what is played in that time. `gap` days are left out before the label days of each
    split."""

    as_of: str = ""
    seed: int = 7
    horizon: int = 1
    gap: int = 0


def chosen_as_of(asked: str, built: dict[str, date]) -> date:
    """The day before which a training sees everything.

    Raises:
        SegueError: nothing is built, or not as far as was asked.
    """
    states = [day for name, day in built.items() if name.startswith("features.")]
    if not states:
        raise SegueError("expected built state, found none; run `segue run bootstrap`")
    latest = min(states)
    wanted = date.fromisoformat(asked) if asked else latest
    if wanted > latest:
        raise SegueError(
            f"expected state built up to {wanted}, found it built up to {latest}; run "
            f"`segue run bootstrap` or choose --as-of {latest} or earlier"
        )
    return wanted


def planned(
    connection: duckdb.DuckDBPyConnection, config: TrainingConfig, tuned: Path
) -> TrainingPlan:
    """The plan of a training on what the warehouse holds; `tuned` is the file of found hyper-parameters."""
    as_of = chosen_as_of(config.as_of, built_until(connection))
    held = days_with_listens(connection, as_of)
    horizon = bounded_horizon(held, as_of, config.horizon)
    times = widened(listeners_a_day(connection, as_of))
    windows = label_windows(held, as_of, times=times, horizon=horizon, gap=config.gap)
    sampling = Sampling(horizon=horizon, gap=config.gap)
    return TrainingPlan(as_of, windows, config.seed, sampling, read_tuned(tuned, as_of))


@dg.asset(
    key=TRACK_DOCUMENTS,
    **in_group("embeddings"),
    description=(
        "One text a track: title, artist, album, genres, tags, decade, audio. Begins a training run: "
        "fixes its as_of, its label days and its seed."
    ),
    kinds={"parquet"},
    deps=[TRACKS_MODEL, LISTENS_MODEL],
    pool=WAREHOUSE_POOL,
)
def track_documents(config: TrainingConfig, home: HomeResource, warehouse: WarehouseResource):
    """Write the documents at every cut of the plan."""
    with warehouse.reader() as connection:
        plan = planned(connection, config, home.settings.tuned)
        run = begin_run(home.settings.training, plan)
        documents = write_documents(connection, run)
        learned_from = run_draw(connection, run).text()
    shown = documents.slice(0, 5).select(["track_id", "document"]).to_pylist()
    lines = [f"| {row['track_id']} | {row['document']} |" for row in shown]
    days = {name: plan.days(name) for name in SPLITS}
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(documents),
            "as_of": plan.as_of.isoformat(),
            "days a list lasts": plan.sampling.horizon,
            "days left out before a split": plan.sampling.gap,
            "learned from": learned_from,
            **{f"{name} days": f"{found[0]} to {found[-1]}" for name, found in days.items()},
            "examples": dg.MetadataValue.md(
                "\n".join(["| track | document |", "| --- | --- |", *lines])
            ),
        }
    )


@dg.asset(
    key=TEXT_ENCODER,
    **in_group("embeddings"),
    description=(
        "The sentence-transformers model that turns documents into vectors: trained on the catalogue "
        "and on what is listened to together, or named by SEGUE_ENCODER."
    ),
    kinds={"python"},
    deps=[TRACK_DOCUMENTS],
    pool=WAREHOUSE_POOL,
)
def text_encoder(home: HomeResource, warehouse: WarehouseResource):
    """Train the own encoder on what is known before the first label day."""
    run = current_run(home.settings.training)
    config = encoder_config(home, run)
    with warehouse.reader() as connection:
        version = fit_encoder(connection, run, config)
    trained = "no: there is no text" if config.name == "own" else f"no: {config.name} is ready"
    return dg.MaterializeResult(
        metadata={
            "encoder": config.name,
            "version": version or config.name,
            "trained": "yes" if version else trained,
            "dimension": config.dimension,
        }
    )


@dg.asset(
    key=TRACK_VECTORS,
    **in_group("embeddings"),
    description="A vector a track; only documents that are new or changed are encoded.",
    kinds={"parquet"},
    deps=[TRACK_DOCUMENTS, TEXT_ENCODER],
)
def track_vectors(home: HomeResource):
    """Encode the documents of every cut, reusing an earlier run's vectors of the same encoder."""
    run = current_run(home.settings.training)
    encoder = run_encoder(run, encoder_config(home, run))
    encoded, reused = write_vectors(run, encoder, earlier_vectors(home.settings.training, run))
    rows = pq.read_metadata(run.vectors(SERVE)).num_rows if encoder else 0
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "documents encoded": encoded,
            "vectors reused": reused,
            "text": "yes" if encoder else "none: the catalogue has no words",
        }
    )


def encoder_config(home: HomeResource, run: TrainingRun) -> EncoderConfig:
    """The encoder of the settings, seeded by the run."""
    return EncoderConfig(name=home.settings.encoder, seed=run.plan.seed)


def earlier_vectors(training: Path, run: TrainingRun) -> pa.Table | None:
    """The latest other run's vectors, None where there are none."""
    paths = [path / "vectors" / f"{SERVE}.parquet" for path in sorted(training.glob("as_of=*"))]
    found = [path for path in paths if path.is_file() and path != run.vectors(SERVE)]
    return pq.read_table(found[-1]) if found else None
