"""What a bench times inside a process: a day's answers, reports or state of the home in SEGUE_HOME.

    SEGUE_HOME=FOLDER python -m tests.benchmarks.in_a_home {batch,reports,state,held}

Belongs here: work on a home that has a champion and has lived two days; the last line printed is a JSON
object. Does not belong here: how such a home comes about (bench_a_day.py).
"""

import argparse
import importlib
import json
import time
from datetime import date

import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml.lake.store import Lake
from ml.registry.from_run import LIST_LENGTH
from ml.serving.batch import recommend_day
from ml.serving.saved import load_recommender
from ml.state.publish import load_state, publish_state, state_days, state_folder
from ml.state.read import read_state
from orchestration.keys import MONITORING
from orchestration.resources import RegistryResource, WarehouseResource
from orchestration.running import Launch
from orchestration.settings import Settings, load_settings, prepare_process
from orchestration.warehouse_facts import built_until

SAMPLED_ROWS = 5_000
# What the reports import when they first need it, 4 s together on a quiet machine.
SLOW_IMPORTS = ("evidently.metrics", "evidently.ui.storage.local.base", "mlflow")


def batch(settings: Settings) -> dict[str, object]:
    """Lists of every active listener by the champion from the newest state, without writing them."""
    version = RegistryResource().open().champion()
    if version is None:
        raise SystemExit(
            f"expected a champion in {settings.home}, found none; see the training's log"
        )
    state = load_state(state_folder(settings.states, state_days(settings.states)[-1]))
    recommender = load_recommender(settings.bundles / version, version, state)
    began = time.perf_counter()
    lists, _ = recommend_day(recommender, LIST_LENGTH, sampled_rows=SAMPLED_ROWS, seed=7)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "answers": pc.count_distinct(lists["request_id"]).as_py()}


def reports(settings: Settings) -> dict[str, object]:
    """The five reports of the newest day again, as steps of the daily job, after the imports. Seconds
    are those of Dagster's event log, from the start of a step to its end."""
    import dagster as dg

    from orchestration.definitions import defs

    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    day = newest_day(settings)
    launch = Launch("daily", day, day)
    with dg.DagsterInstance.get() as instance:
        result = (
            defs()
            .resolve_job_def(launch.job)
            .execute_in_process(
                instance=instance,
                partition_key=launch.partition_key,
                tags=launch.tags(),
                run_config=launch.run_config(),
                asset_selection=list(MONITORING.values()),
            )
        )
        steps = instance.get_run_step_stats(result.run_id)
    seconds = {one.step_key: (one.end_time or 0.0) - (one.start_time or 0.0) for one in steps}
    pages = list((settings.reports / f"day={day}").glob("*.html"))
    return {
        "steps": seconds,
        "pages": len(pages),
        "largest_mb": max(page.stat().st_size for page in pages) / 1e6,
    }


def state(settings: Settings) -> dict[str, object]:
    """The state at the end of what is built, read from the warehouse and published."""
    with WarehouseResource().reader() as connection:
        valid_on = min(
            day
            for relation, day in built_until(connection).items()
            if relation.startswith("features.")
        )
        read = read_state(connection, valid_on)
    publish_state(read, settings.states)
    return {"listeners": len(read.user_ids), "pairs": len(read.user_tracks.item)}


def newest_day(settings: Settings) -> date:
    """The newest day with reports."""
    folders = settings.reports.glob("day=*")
    return max(date.fromisoformat(folder.name.removeprefix("day=")) for folder in folders)


def held(settings: Settings) -> dict[str, object]:
    """Listens in the lake."""
    lake = Lake(settings.home)
    paths = [path for day in lake.days("listens") for path in lake.files("listens", day)]
    return {"listens": sum(pq.read_metadata(path).num_rows for path in paths)}


WORK = {"batch": batch, "reports": reports, "held": held, "state": state}


def main() -> None:
    """Do one piece of work and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", choices=WORK)
    asked = parser.parse_args()
    settings = load_settings()
    prepare_process(settings)
    print(json.dumps(WORK[asked.work](settings)))  # noqa: T201


if __name__ == "__main__":
    main()
