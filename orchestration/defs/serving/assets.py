"""The daily recommendations.

Belongs here: publishing the state and the champion's lists, and the checks on the lists. Does not belong
here: how a list is made (ml.serving).
"""

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from ml.errors import SegueError
from ml.registry.bundle import verify_bundle
from ml.registry.from_run import LIST_LENGTH
from ml.serving.batch import (
    daily_requests,
    publish_features,
    publish_recommendations,
    recommend_day,
    recommendations_path,
)
from ml.serving.saved import load_recommender
from ml.state.catalogue import Catalogue
from ml.state.publish import publish_state
from ml.state.read import read_state
from ml.state.state import State
from orchestration.groups import in_group
from orchestration.keys import CHAMPION, RECOMMENDATIONS, STATE, WAREHOUSE_POOL
from orchestration.partitions import DAYS, ONE_RANGE, run_periods
from orchestration.readable import table_markdown
from orchestration.resources import HomeResource, RegistryResource, WarehouseResource
from orchestration.settings import Settings
from orchestration.unserved import advice

# Rows of ranker inputs kept a day for feature drift; the report draws no more.
_SAMPLED_ROWS = 5_000
_CHECKS = {
    "every_listener_has_a_list": "Somebody is active, and every active listener has a list.",
    "no_track_twice": "No listener's list holds a track twice.",
    "scores_fall_with_rank": "No track stands below another with a lower score.",
}
_SHOWN_TRACKS = 10


def champion_version(registry: RegistryResource, training: Path) -> str:
    """The version that serves.

    Raises:
        SegueError: no model was promoted yet.
    """
    version = registry.open().champion()
    if version is None:
        raise SegueError(f"expected a champion, found none promoted yet; {advice(training)}")
    return version


def recommend_and_publish(
    settings: Settings, state: State, version: str, active_days: int
) -> pa.Table:
    """Publish the state and the lists made from it at the end of the day before `valid_on`."""
    folder = settings.bundles / version
    verify_bundle(folder)
    publish_state(state, settings.states)
    # The threads of the batch share the cores between them.
    recommender = load_recommender(folder, version, state, threads=1)
    seed = state.valid_on.toordinal()
    lists, features = recommend_day(
        recommender, LIST_LENGTH, sampled_rows=_SAMPLED_ROWS, seed=seed, active_days=active_days
    )
    day = state.valid_on - timedelta(days=1)
    publish_features(settings.recommendations, day, features)
    publish_recommendations(settings.recommendations, day, lists, state.valid_on)
    return lists


@dg.asset(
    key=RECOMMENDATIONS,
    **in_group("serving"),
    description=(
        "Home lists of every listener active in the last four weeks, made by the champion from the "
        "state at the end of the day; in force on the day after. The listening room (`segue serve`) shows "
        "everybody's."
    ),
    kinds={"parquet"},
    deps=[*STATE, CHAMPION],
    partitions_def=DAYS,
    backfill_policy=ONE_RANGE,
    pool=WAREHOUSE_POOL,
    check_specs=[
        dg.AssetCheckSpec(name, asset=RECOMMENDATIONS, description=asked)
        for name, asked in _CHECKS.items()
    ],
)
def recommendations(
    context: dg.AssetExecutionContext,
    home: HomeResource,
    registry: RegistryResource,
    warehouse: WarehouseResource,
):
    """Recommend for the day after each of the run's days."""
    version, active_days = (
        champion_version(registry, home.settings.training),
        home.record.active_days,
    )
    for _, valid_on in run_periods(context):
        with warehouse.reader() as connection:
            state = read_state(connection, valid_on)
        lists = recommend_and_publish(home.settings, state, version, active_days)
    return dg.MaterializeResult(
        metadata={
            **described(lists, version, valid_on),
            "a list": dg.MetadataValue.md(list_markdown(lists, state.catalogue)),
            "all lists": dg.MetadataValue.path(lists_file(home.settings, valid_on)),
        },
        check_results=list_checks(lists, daily_requests(state, active_days=active_days)),
    )


def described(lists: pa.Table, version: str, valid_on: date) -> dict[str, object]:
    """Counts, and what made the lists when."""
    return {
        "dagster/row_count": len(lists),
        "listeners": pc.count_distinct(lists["user_id"]).as_py(),
        "distinct tracks": pc.count_distinct(lists["track_id"]).as_py(),
        "model_version": version,
        "in force on": valid_on.isoformat(),
    }


def list_markdown(lists: pa.Table, catalogue: Catalogue) -> str:
    """The first listener's list as people read it: what, why, proposed by whom."""
    first = lists.slice(0, _SHOWN_TRACKS)
    if not len(first):
        return "nobody was active"
    at = pa.array(catalogue.index_of(first["track_id"]))
    shown = pa.table(
        {
            "rank": first["rank"],
            "title": catalogue.titles.take(at),
            "artist": catalogue.artist_names.take(at),
            "why": first["reasons"],
            "proposed by": first["sources"],
            "score": first["score"],
        }
    )
    return f"Home of `{first['user_id'][0]}`:\n\n{table_markdown(shown)}"


def lists_file(settings: Settings, valid_on: date) -> str:
    """The day's lists as a Parquet file."""
    day = valid_on - timedelta(days=1)
    return str(recommendations_path(settings.recommendations, day))


def list_checks(lists: pa.Table, requests: pa.Table) -> list[dg.AssetCheckResult]:
    """Somebody asks and every request is answered, no track twice in a list, scores that never rise with
    the rank."""
    answered = pc.count_distinct(lists["request_id"]).as_py()
    pairs = lists.group_by(["request_id", "track_id"]).aggregate([]).num_rows
    ordered = lists.sort_by([("request_id", "ascending"), ("rank", "ascending")])
    rising = 0
    if len(ordered) > 1:
        same = pc.equal(ordered["request_id"][1:], ordered["request_id"][:-1])
        rises = pc.greater(ordered["score"][1:], ordered["score"][:-1])
        rising = pc.sum(pc.and_(same, rises)).as_py() or 0
    found = (
        (0 < len(requests) == answered, {"asked": len(requests), "answered": answered}),
        (pairs == len(lists), {"rows": len(lists), "distinct": pairs}),
        (rising == 0, {"rows above a better score": rising}),
    )
    return [
        dg.AssetCheckResult(passed=passed, check_name=name, metadata=metadata)
        for name, (passed, metadata) in zip(_CHECKS, found, strict=True)
    ]
