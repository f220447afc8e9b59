"""`segue reproduce`: a model again from its manifest and the lake, in a clean home.

Belongs here: the clean home and words about what came of it. Does not belong here: training
(ml.registry.rebuild) or comparing (ml.registry.differences).
"""

import os
import shutil
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa

from ml.errors import SegueError
from ml.lake.store import Lake
from ml.registry.bundle import Manifest, read_manifest, verify_bundle
from ml.registry.differences import causes, files, lake_days, score_gap
from ml.registry.lake_content import lake_content
from ml.registry.rebuild import rebuild
from orchestration.cli.console import console, then, working
from orchestration.dbt_runs import build, problems, ranges
from orchestration.dbt_runs import read_manifest as read_dbt_manifest
from orchestration.home import IMPORTED, read_home, write_home
from orchestration.receiving import TABLES
from orchestration.resources import WarehouseResource
from orchestration.settings import Settings, load_settings, prepare_process

TOLERANCE = 1e-6
_MOST_NAMED = 8
# What a model reads; marts come after it.
_LAYERS = ("staging", "intermediate", "features")


class ReproductionError(SegueError):
    """A model that its manifest and the lake do not give again."""


def _link(source: str, target: str) -> None:
    """The same file under another name; a copy where the folders lie on different disks."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def clean_home(settings: Settings, folder: Path, before: date) -> Settings:
    """A home in `folder` that holds the lake as it was before `before`, and nothing that was made of it."""
    clean, lake = Settings(folder), Lake(settings.home)
    for table in TABLES:
        for day in lake.days(table):
            if day < before:
                target = Lake(folder).folder(table, day)
                shutil.copytree(lake.folder(table, day), target, copy_function=_link)
    home = read_home(settings)
    # It has what it has: a simulated world must not live its days once more.
    write_home(clean, replace(home, source=replace(home.source, kind=IMPORTED)))
    return clean


def built_warehouse(clean: Settings, first: date, end: date) -> None:
    """Build staging, intermediate and features of [first, end) in the clean home.

    Raises:
        ReproductionError: a model or test of dbt failed.
    """
    nodes = read_dbt_manifest()["nodes"].values()
    models = [
        node["name"]
        for node in nodes
        if node["resource_type"] == "model" and node["schema"] in _LAYERS
    ]
    for start, last in ranges(first, end, {}):
        if wrong := problems(build(clean, start, last, sorted(models))):
            raise ReproductionError(
                f"expected the lake to build up to {end}, found: {wrong}; run `segue doctor`"
            )


def rebuilt(settings: Settings, then_: Manifest, folder: Path) -> tuple[Path, pa.Table]:
    """(the bundle made anew, what its lake held): everything between lake and bundle once more."""
    before = date.fromisoformat(then_.facts.as_of)
    first = read_home(settings).first_day
    clean = clean_home(settings, folder, before)
    # From here on this process belongs to the clean home.
    prepare_process(clean)
    built_warehouse(clean, first, before)
    held = lake_content(Lake(folder), before)
    with WarehouseResource().reader() as connection:
        version = rebuild(connection, then_.facts, clean.training, clean.bundles, held)
    return clean.bundles / version, held


def reproduce(version: str) -> None:
    """Rebuild a model and say whether it is the same, in content or in its scores.

    Raises:
        ReproductionError: its scores differ by more than TOLERANCE.
        SegueError: no such bundle, or it does not verify.
    """
    settings = load_settings()
    bundle = settings.bundles / version
    stored = verify_bundle(bundle)
    with tempfile.TemporaryDirectory(prefix="segue-reproduce-") as name:
        with working(f"training {version} again as of {stored.facts.as_of}"):
            again, held = rebuilt(settings, stored, Path(name))
        _tell(bundle, again, stored, held)
    then(f"segue rollback {version} --why WHY, or segue history")


def _tell(bundle: Path, again: Path, stored: Manifest, held: pa.Table) -> None:
    anew = read_manifest(again)
    if anew.version == stored.version:
        console.print(
            f"[green]reproduced[/]: {stored.version} has the same content hash, "
            f"{len(stored.files)} files alike"
        )
        return
    said = causes(stored, anew)
    days = lake_days(bundle, held)
    said += ["the bundle does not say what its lake held"] if days is None else days
    console.print(f"{anew.version} was built instead of {stored.version}:")
    for line in [*said[:_MOST_NAMED], *_more(said)]:
        console.print(f"  {line}")
    other = files(stored, anew)
    console.print(f"  {len(other)} of {len(anew.files)} files differ")
    for name in [*other[:_MOST_NAMED], *_more(other)]:
        console.print(f"    {name}")
    gap = score_gap(bundle, again)
    if gap > TOLERANCE:
        raise ReproductionError(
            f"expected scores within {TOLERANCE:g} of those of {stored.version}, found {gap:.2g}; the "
            "lines above say what differs: put the lake, the code and the packages back and run "
            f"`segue reproduce {stored.version}` again"
        )
    console.print(
        f"[green]reproduced[/]: scores within {TOLERANCE:g}, the largest gap is {gap:.2g}"
    )


def _more(lines: list[str]) -> list[str]:
    rest = len(lines) - _MOST_NAMED
    return [f"and {rest} more"] if rest > 0 else []
