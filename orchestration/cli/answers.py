"""`segue recommend`.

Belongs here: request files in, lists out. Does not belong here: how a list is made (ml.serving).
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from ml.errors import SegueError
from ml.files import replace_file, replace_table
from ml.ranking.run import current_run
from ml.registry.bundle import verify_bundle
from ml.serving.recommender import RequestError
from ml.serving.requests_file import read_requests
from ml.serving.saved import load_recommender
from ml.state.publish import load_state, publish_state, state_days, state_folder
from ml.state.read import read_state
from ml.state.state import State
from ml.tables import RECOMMENDATIONS
from orchestration.cli.console import console, then, working
from orchestration.resources import RegistryResource, WarehouseResource
from orchestration.settings import Settings, load_settings, prepare_process
from orchestration.warehouse_facts import built_until


def answering_bundle(settings: Settings) -> Path:
    """The verified bundle of the champion; before the first promotion that of the latest training.

    A file of requests is answered for whoever asked, not for listeners: a model that the gate did not let
    serve may answer it, and that is said.

    Raises:
        SegueError: nothing was trained.
    """
    prepare_process(settings)
    version = RegistryResource().open().champion()
    if version is None:
        decision = current_run(settings.training).evaluation / "decision.json"
        if not decision.is_file():
            raise SegueError("expected a trained model, found none; run `segue run train`")
        version = str(json.loads(decision.read_text())["challenger"])
        console.print(
            f"[yellow]No model serves[/]: the gate did not promote {version}, which answers here; "
            "`segue evaluate` shows why"
        )
    verify_bundle(settings.bundles / version)
    return settings.bundles / version


def state_before(settings: Settings, day: date, built: Mapping[str, date]) -> State:
    """The latest state valid on or before `day`: published already, or read from the warehouse and
    published now.

    Raises:
        RequestError: no state is that old.
    """
    ends = [end for name, end in built.items() if name.startswith("features.")]
    wanted = min([day, *ends])
    published = [found for found in state_days(settings.states) if found < day]
    latest = max(published, default=None)
    if ends and (latest is None or latest + timedelta(days=1) < wanted):
        question = partial(read_state, valid_on=wanted)
        state = WarehouseResource().ask(question, default=None)
        if state is not None and state.catalogue.size:
            publish_state(state, settings.states)
            return state
    if latest is None:
        raise RequestError(
            f"expected a state before {day}, found none that old; choose requests after the first "
            "day of the data"
        )
    return load_state(state_folder(settings.states, latest))


def recommend_file(requests: Path, out: Path, k: int, exclude_heard: bool) -> None:
    """Answer the requests of a file, each with the state of the latest day before it.

    Raises:
        SegueError: `k`, the file or the model does not do.
    """
    settings = load_settings()
    if k < 1:
        raise SegueError(f"expected --k of at least 1, found {k}")
    if out.suffix not in (".parquet", ".csv"):
        raise SegueError(f"expected --out to end in .parquet or .csv, found {out.name}")
    asked = read_requests(requests)
    with working(f"answering {len(asked):,} requests"):
        bundle = answering_bundle(settings)
        lists = answered(settings, bundle, asked, k, exclude_heard)
    write_lists(lists, out)
    listed = pc.count_distinct(lists["request_id"]).as_py()
    console.print(f"{listed:,} lists of up to {k} tracks by model {bundle.name} in {out}")
    then(f"segue trace {lists['request_id'][0].as_py()}" if len(lists) else "segue doctor")


def answered(
    settings: Settings, bundle: Path, asked: pa.Table, k: int, exclude_heard: bool
) -> pa.Table:
    """Lists of all requests, sorted by (request_id, rank), kept with the requests for `segue trace`."""
    built = WarehouseResource().ask(built_until, default={})
    number = np.asarray(asked["at"].combine_chunks().cast(pa.int64())) // 86_400_000_000
    parts = [RECOMMENDATIONS.schema.empty_table()]
    for one in np.unique(number):
        day = datetime.fromtimestamp(int(one) * 86_400, UTC).date()
        state = state_before(settings, day, built)
        recommender = load_recommender(bundle, bundle.name, state)
        of_day = asked.filter(pa.array(number == one))
        parts.append(recommender.recommend(of_day, k, exclude_heard=exclude_heard))
    order = [("request_id", "ascending"), ("rank", "ascending")]
    lists = pa.concat_tables(parts).sort_by(order)
    replace_table(settings.artifacts / "answered_requests.parquet", asked)
    write_lists(lists, settings.artifacts / "answers.parquet")
    return lists


def write_lists(lists: pa.Table, out: Path) -> None:
    """Write Parquet or CSV (lists joined with " | "), aside and renamed."""
    if out.suffix == ".parquet":
        replace_table(out, lists)
        return
    for name in ("sources", "reasons"):
        place = lists.schema.get_field_index(name)
        lists = lists.set_column(place, name, pc.binary_join(lists[name], " | "))
    replace_file(out, partial(pa_csv.write_csv, lists))
