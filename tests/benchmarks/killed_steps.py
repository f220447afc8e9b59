"""A small life in steps, each a forked child of a process that has imported everything.

Belongs here: the steps, running one to its end or to its death. Does not belong here: comparing homes
(killed_compare.py) or counting (bench_kills.py).

A fork keeps the start-up of Python, Dagster and dbt out of the time in which a kill may fall; files,
DuckDB, SQLite and the kill are real. The parent only imports: no thread and no connection crosses the fork.
MLflow stores absolute paths, so every life is lived in one folder, from a copy of how it stood before.
"""

import importlib
import os
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from ml.errors import SegueError
from ml.lake.store import Lake
from orchestration.beginning import FIRST_DAY, World, begin_simulated
from orchestration.cli.main import app
from orchestration.running import Launch, execute
from orchestration.settings import Settings, load_settings, prepare_process
from tests.benchmarks.killed_child import Death, Ended, Step

WORLD = World(listeners=30, tracks=120, days=8, seed=3)
IMPORT, DBT, EMBEDDING, TRAINING = "import", "dbt", "embedding", "training"
PUBLISHING, PROMOTION, REPORTS = "publishing", "promotion", "reports"
# Not killed: it only makes files that a later step reads.
NO_PHASE = ""
PHASES = (IMPORT, DBT, EMBEDDING, TRAINING, PUBLISHING, PROMOTION, REPORTS)
LAST = FIRST_DAY + timedelta(days=WORLD.days - 1)
_AREAS = {
    "input reports": ("monitoring/data_quality", "monitoring/feature_drift"),
    "model reports": (
        *("monitoring/embedding_drift", "monitoring/score_drift"),
        "monitoring/ranking_quality",
    ),
}
# What lazy imports would cost in every child.
IMPORTS = (
    *("torch", "sentence_transformers", "xgboost", "mlflow", "sklearn.ensemble", "implicit.als"),
    *("evidently.metrics", "evidently.ui.storage.local.base", "dbt.adapters.duckdb", "duckdb"),
    *(
        "mlflow.store.tracking.sqlalchemy_store",
        "mlflow.store.db.utils",
        "orchestration.definitions",
    ),
)


def part_of(
    job: str, *assets: str, day: tuple[date, date] | None = None
) -> Callable[[Settings], None]:
    """Work that runs assets of a job, as `segue run` runs all of them, over the days [first, last] where they
    have days."""

    def work(settings: Settings) -> None:
        first, last = day or (None, None)
        execute(settings, Launch(job, first, last, assets=assets))

    return work


def import_files(folder: Path) -> Callable[[Settings], None]:
    """Work that imports a folder of canonical files, as `segue import`, into a home of its own within the
    life's."""

    def work(settings: Settings) -> None:
        os.environ["SEGUE_HOME"] = str(settings.home / "imported")
        sys.argv = ["segue", "import", "canonical", str(folder)]
        try:
            app(sys.argv[1:])
        except SystemExit as end:
            if end.code:
                raise SegueError("see above") from end

    return work


def export_history(folder: Path) -> Callable[[Settings], None]:
    """Work that writes the lake's rows as files to import: listens in two files that overlap, and a third
    whose rows are no listens."""

    def work(settings: Settings) -> None:
        import pyarrow.parquet as pq

        lake = Lake(settings.home)
        (folder / "listens").mkdir(parents=True)
        for name in ("tracks", "users"):
            pq.write_table(lake.read(name), folder / f"{name}.parquet")
        listens = lake.read("listens")
        cut = len(listens) // 2
        pq.write_table(listens.slice(0, cut + 10), folder / "listens" / "first.parquet")
        pq.write_table(listens.slice(cut), folder / "listens" / "second.parquet")
        bad = "listen_id,user_id,track_id,played_at,known_at\nx1,,t1,2025-03-04T10:00:00Z,\n"
        (folder / "listens" / "third.csv").write_text(bad)
        (folder / "listens" / "unreadable.parquet").write_text("no Parquet")

    return work


def steps(source: Path, lived: int = 2) -> list[Step]:
    """The life: a simulated history, imported once more into a home of its own; a training; days `lived`."""
    history = (FIRST_DAY, LAST)
    days = [LAST + timedelta(days=one + 1) for one in range(lived)]
    built = ("staging", "intermediate", "features", "marts")
    listed = ("serving/recommendations",)
    life = [
        Step("live the history", IMPORT, part_of("bootstrap", "raw", day=history)),
        Step("export", NO_PHASE, export_history(source)),
        Step("import", IMPORT, import_files(source)),
        Step("dbt, history", DBT, part_of("bootstrap", *built, day=history)),
        Step("embeddings", EMBEDDING, part_of("train", "embeddings")),
        Step("candidates", TRAINING, part_of("train", "candidates/candidate_models")),
        Step("examples, rankers", TRAINING, part_of("train", "ranking")),
        Step("evaluation, bundle", PUBLISHING, part_of("train", "evaluation")),
        Step("decision, champion", PROMOTION, part_of("train", "registry")),
    ]
    for number, day in enumerate(days, start=1):
        one = (day, day)
        life += [
            Step(f"receive day {number}", IMPORT, part_of("daily", "raw", day=one)),
            Step(f"dbt, day {number}", DBT, part_of("daily", *built, day=one)),
            Step(f"lists of day {number}", PUBLISHING, part_of("daily", *listed, day=one)),
            *(
                Step(f"{name} of day {number}", REPORTS, part_of("daily", *areas, day=one))
                for name, areas in _AREAS.items()
            ),
        ]
    return life


def begin(home: Path) -> Settings:
    """A simulated home in `home`, and this process prepared for it."""
    os.environ["SEGUE_HOME"] = str(home)
    settings = load_settings()
    begin_simulated(settings, WORLD)
    prepare_process(settings)
    return settings


def warm() -> None:
    """Import what the steps need; dbt's project is parsed once for all children."""
    for name in IMPORTS:
        importlib.import_module(name)
    from orchestration.dbt_runs import parsed_project
    from orchestration.running import definitions

    definitions()
    parsed_project()


def restore(snapshot: Path, home: Path) -> None:
    """The home as it stood."""
    # The folder itself stays where a disk is mounted on it.
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(snapshot, home, symlinks=True, dirs_exist_ok=True)


def drawn(rng: random.Random, calm: Ended) -> Death:
    """A moment of a step that took `calm` when nobody killed it: any instant of its time, or, as often, any
    change on the disk; DuckDB's own writes are hit by the first kind alone."""
    if calm.changes and rng.random() < 0.5:
        return Death(change=rng.randrange(calm.changes))
    return Death(seconds=rng.uniform(0.0, calm.seconds))


def under_way(settings: Settings) -> str:
    """The step of Dagster's that a killed child had begun and not ended; "" where there is none."""
    database = sorted((settings.dagster / "history" / "runs").glob("*-*.db"), key=_modified)
    if not database:
        return ""
    with closing(sqlite3.connect(f"file:{database[-1]}?mode=ro", uri=True)) as connection:
        try:
            rows = connection.execute(
                "select step_key, dagster_event_type from event_logs where step_key is not null order by id"
            ).fetchall()
        except sqlite3.Error:
            return ""
    open_ = [key for key, kind in rows if kind == "STEP_START"]
    ended = {key for key, kind in rows if kind in ("STEP_SUCCESS", "STEP_FAILURE")}
    left = [key for key in open_ if key not in ended]
    return left[-1].rsplit("__", 1)[-1] if left else ""


def _modified(path: Path) -> int:
    return path.stat().st_mtime_ns
