"""`segue trace`: from a recommendation back to files.

Belongs here: finding a list and telling where it came from. Does not belong here: making lists.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml.errors import SegueError
from ml.lake.store import Lake
from ml.registry.bundle import Manifest, verify_bundle
from orchestration.cli.console import console, show, then
from orchestration.settings import Settings, load_settings

_SHOWN = 10


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


def trace_request(request_id: str) -> None:
    """Print the list, its model, the state it stood on and the files behind both."""
    settings = load_settings()
    found, path = find_list(settings, request_id)
    rows = [
        [
            str(row["rank"]),
            row["track_id"],
            f"{row['score']:.4f}",
            ", ".join(row["sources"]),
            "; ".join(row["reasons"]),
        ]
        for row in found.slice(0, _SHOWN).to_pylist()
    ]
    show(f"request {request_id}", ["rank", "track", "score", "proposed by", "because"], rows)
    first = found.slice(0, 1).to_pylist()[0]
    manifest = verify_bundle(settings.bundles / first["model_version"])
    console.print(f"list      {path}")
    _tell_model(manifest)
    console.print(f"state     everything known through {first['state_day']}")
    _tell_files(settings, first["user_id"], first["state_day"].isoformat())
    then("segue evaluate")


def _tell_model(manifest: Manifest) -> None:
    facts = manifest.facts
    console.print(f"model     {manifest.version}, {len(manifest.files)} files verified")
    console.print(f"trained   on what was known before {facts.as_of}, seed {facts.seed}")
    for name, days in facts.windows.items():
        console.print(f"          {name} days {days[0]} to {days[-1]}")
    console.print(f"code      {facts.code_version}")
    console.print(
        "tables    features.users, tracks, user_tracks, user_artists; intermediate.listens"
    )


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
