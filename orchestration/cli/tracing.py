"""`segue trace`: from a shown track back to files.

Belongs here: finding a list and telling where it came from. Does not belong here: making lists, or the
figures behind a track (ml.registry.traced).
"""

from datetime import UTC, datetime, time
from math import isnan
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml.errors import SegueError
from ml.lake.store import Lake
from ml.registry.bundle import Manifest, verify_bundle
from ml.registry.traced import Explained, explained
from ml.serving.saved import load_recommender
from ml.state.publish import load_state, state_folder
from ml.state.requests import requests_from_table
from ml.tables import REQUESTS
from orchestration.cli.console import console, show, then
from orchestration.settings import Settings, load_settings

_SHOWN, _FEATURES = 10, 15
# Tables of the warehouse that a state is read from.
_STATE_MODELS = (
    *("feat_user_tracks", "feat_user_artists", "feat_tracks", "feat_users"),
    *("int_tracks", "int_users"),
)
_TOLERANCE = 1e-6


def find_list(settings: Settings, request_id: str) -> tuple[pa.Table, Path]:
    """The list of a request and the file it stands in: the latest answers, then the days, newest first.

    Raises:
        SegueError: no published list answers the request.
    """
    days = sorted(settings.recommendations.glob("day=*/part.parquet"), reverse=True)
    for path in [settings.artifacts / "answers.parquet", *days]:
        if not path.is_file():
            continue
        wanted = pc.field("request_id") == request_id
        found = pq.read_table(path, filters=wanted, partitioning=None)
        if len(found):
            return found.sort_by("rank"), path
    raise SegueError(
        f"expected a published list of request {request_id!r}, found none in {len(days)} days; "
        "request ids of daily lists read home-YYYY-MM-DD-USER"
    )


def request_of(settings: Settings, found: pa.Table) -> pa.Table | None:
    """The request that a list answers, None where it was not kept: a daily one follows from its list, the
    ones of a file are beside their answers."""
    first = found.slice(0, 1).to_pylist()[0]
    if "valid_on" in found.column_names:
        at = datetime.combine(first["valid_on"], time(), tzinfo=UTC)
        row = {name: first[name] for name in ("request_id", "user_id", "surface")}
        asked = [{**row, "at": at, "session_track_ids": []}]
        return pa.Table.from_pylist(asked, schema=REQUESTS.schema)
    kept = settings.artifacts / "answered_requests.parquet"
    if not kept.is_file():
        return None
    asked = pq.read_table(kept, filters=pc.field("request_id") == first["request_id"])
    return asked if len(asked) else None


def trace_request(request_id: str, track: str = "") -> None:
    """Print the list, how one of its tracks came there, its model, and the models and files behind.

    Raises:
        SegueError: no such list, `track` is not in it, or the model's bundle does not verify.
    """
    settings = load_settings()
    found, path = find_list(settings, request_id)
    rows = found.to_pylist()
    show_list(request_id, rows)
    wanted = next((row for row in rows if row["track_id"] == (track or rows[0]["track_id"])), None)
    if wanted is None:
        raise SegueError(
            f"expected a track of the list, found {track!r}; the list holds "
            f"{', '.join(row['track_id'] for row in rows)}"
        )
    manifest = verify_bundle(settings.bundles / wanted["model_version"])
    show_track(settings, found, wanted)
    console.print(f"list      {path}")
    _tell_model(manifest)
    console.print(f"state     everything known through {wanted['state_day']}")
    for line in dbt_models():
        console.print(line)
    _tell_files(settings, wanted["user_id"], wanted["state_day"].isoformat())
    then(f"segue trace {request_id} --track {rows[-1]['track_id']}")


def show_list(request_id: str, rows: list[dict[str, Any]]) -> None:
    """The first tracks of the list as they were published."""
    cells = [
        [
            str(row["rank"]),
            row["track_id"],
            f"{row['score']:.4f}",
            ", ".join(row["sources"]),
            "; ".join(row["reasons"]),
        ]
        for row in rows[:_SHOWN]
    ]
    show(f"request {request_id}", ["rank", "track", "score", "proposed by", "because"], cells)


def show_track(settings: Settings, found: pa.Table, wanted: dict[str, Any]) -> None:
    """Ask the model once more with the state of that day, and show what lies behind the track."""
    asked = request_of(settings, found)
    folder = state_folder(settings.states, wanted["state_day"])
    if asked is None or not folder.is_dir():
        missing = "request" if asked is None else f"state of {wanted['state_day']}"
        console.print(f"track     {wanted['track_id']}: its {missing} was not kept, no figures")
        return
    version = wanted["model_version"]
    recommender = load_recommender(settings.bundles / version, version, load_state(folder))
    recommender = recommender.on(asked["at"][0].as_py().date())
    requests = requests_from_table(asked, wanted["surface"], recommender.state)
    told = explained(recommender, requests, len(found), wanted["track_id"])
    if told is None or abs(told.score - wanted["score"]) > _TOLERANCE * max(1, abs(told.score)):
        again = "does not show it" if told is None else f"gives it {told.score:.4f}"
        console.print(
            f"[yellow]track     {wanted['track_id']}[/]: asked once more the model {again}: its code or "
            "that day's state was made anew since"
        )
    if told is not None:
        show_explained(told, wanted["rank"])


def show_explained(told: Explained, rank: int) -> None:
    """Generators, families and the features that moved the score most."""
    proposals = [
        [one.generator, f"{one.score:.4f}", f"{one.rank:.0f}"]
        for one in told.proposals
        if not isnan(one.rank)
    ]
    silent = [one.generator for one in told.proposals if isnan(one.rank)]
    console.print(f"\n[bold]track {told.track_id}, rank {rank}[/]")
    show("who proposed it", ["generator", "score", "rank"], proposals)
    if silent:
        console.print(f"did not: {', '.join(silent)}")
    if not told.families:
        console.print("No ranker serves this surface: the order is the best generator's.")
        return
    families = [[name, f"{value:+.4f}"] for name, value in told.families.items()]
    sums = [["a row nothing is known of", f"{told.base:+.4f}"], ["score", f"{told.score:+.4f}"]]
    show("what made its score", ["family", "added"], [*families, *sums])
    features = [
        [one.family, one.name, f"{one.value:.4g}", f"{one.contribution:+.4f}"]
        for one in told.features[:_FEATURES]
    ]
    show("features that moved it most", ["family", "feature", "value", "added"], features)


def dbt_models() -> list[str]:
    """The dbt models between the lake and the state, a line a layer, nearest first."""
    from orchestration.dbt_runs import read_manifest

    manifest = read_manifest()
    named = {node["name"]: key for key, node in manifest["nodes"].items()}
    reached, waiting = set(), [named[name] for name in _STATE_MODELS]
    while waiting:
        key = waiting.pop()
        if key in reached:
            continue
        reached.add(key)
        if key in manifest["nodes"]:
            waiting += manifest["nodes"][key]["depends_on"]["nodes"]
    layers: dict[str, list[str]] = {}
    for key in reached:
        node = manifest["nodes"].get(key) or manifest["sources"][key]
        layer = node["schema"] if key in manifest["nodes"] else node["source_name"]
        layers.setdefault(layer, []).append(node.get("alias") or node["name"])
    order = ("features", "intermediate", "staging", "raw")
    lines = [f"{layer}: {', '.join(sorted(layers[layer]))}" for layer in order if layer in layers]
    return [
        f"{'models    ' if place == 0 else '          '}{line}" for place, line in enumerate(lines)
    ]


def _tell_model(manifest: Manifest) -> None:
    facts = manifest.facts
    console.print(f"model     {manifest.version}, {len(manifest.files)} files verified")
    console.print(f"trained   on what was known before {facts.as_of}, seed {facts.seed}")
    for name, days in sorted(facts.windows.items(), key=lambda item: item[1]):
        if days:
            console.print(f"          {name} days {days[0]} to {days[-1]}")
    console.print(f"code      {facts.code_version}")


def _tell_files(settings: Settings, user_id: str | None, last: str) -> None:
    lake = Lake(settings.home)
    days = [day for day in lake.days("listens") if day.isoformat() <= last]
    files = [path for day in days for path in lake.files("listens", day)]
    own = [
        path
        for path in files
        if user_id is not None
        and pq.read_table(
            path, columns=["user_id"], filters=pc.field("user_id") == user_id, partitioning=None
        ).num_rows
    ]
    console.print(
        f"sources   {len(files)} lake files through {last}, {len(own)} with this listener"
    )
    for file in own[-3:]:
        console.print(f"          {file.relative_to(settings.home)}")
