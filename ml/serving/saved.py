"""A recommender's fitted parts as files of a bundle.

Belongs here: the layout inside a bundle. Does not belong here: manifests and hashes (ml.registry.bundle).

    tracks.parquet                   the fitted catalogue's track ids, in order
    vectors.npy                      text vectors, absent without text
    encoder/                         the own text encoder, absent without text and where another made the vectors
    <surface>/sources/<generator>/   arrays of each generator
    <surface>/ranker.ubj, .json      the booster and its features, absent where a generator serves
    <surface>/leader.json            the best single generator on validation
    <surface>/strangers.json         who answers where nothing is known of the listener
    <surface>/rules.json             the policy's rules
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.errors import SegueError
from ml.policy.rules import PolicyRules
from ml.ranking.judging import RANKER
from ml.ranking.model import load_ranker
from ml.ranking.surface import read_sources
from ml.serving.recommender import Recommender, SurfaceModel
from ml.state.catalogue import positions
from ml.state.state import State
from ml.tables import RECOMMENDED_SURFACES

ENCODER = "encoder"


def write_recommender(
    folder: Path,
    track_ids: pa.StringArray,
    vectors: NDArray[np.float32] | None,
    surfaces: Mapping[str, SurfaceModel],
) -> None:
    """Write the fitted parts into `folder`; the same parts give the same bytes."""
    pq.write_table(pa.table({"track_id": track_ids}), folder / "tracks.parquet")
    if vectors is not None:
        np.save(folder / "vectors.npy", vectors, allow_pickle=False)
    for surface, model in sorted(surfaces.items()):
        target = folder / surface
        model.sources.write(target / "sources")
        if model.ranker is not None:
            model.ranker.save(target / "ranker.ubj")
        (target / "leader.json").write_text(json.dumps(model.leader))
        (target / "strangers.json").write_text(json.dumps(model.strangers))
        (target / "rules.json").write_text(json.dumps(asdict(model.rules), sort_keys=True))


def load_recommender(folder: Path, version: str, state: State, *, threads: int = 2) -> Recommender:
    """The recommender in a (verified) bundle folder, bound to `state`."""
    track_ids = pq.read_table(folder / "tracks.parquet")["track_id"].combine_chunks()
    position = positions(track_ids, state.catalogue.track_ids)
    path = folder / "vectors.npy"
    vectors = np.load(path, mmap_mode="r", allow_pickle=False) if path.is_file() else None
    surfaces = {}
    for surface in RECOMMENDED_SURFACES:
        target = folder / surface
        sources = read_sources(target / "sources", surface, vectors, len(track_ids))
        ranker = target / "ranker.ubj"
        surfaces[surface] = SurfaceModel(
            sources.moved(position, state.catalogue.size),
            load_ranker(ranker, threads) if ranker.is_file() else None,
            _name(target / "leader.json"),
            _rules(target / "rules.json"),
            _strangers(target / "strangers.json"),
        )
    return Recommender(version, state, surfaces)


def _strangers(path: Path) -> str:
    """Champions made before strangers were told apart answer them as everybody; they still serve."""
    return _name(path) if path.is_file() else RANKER


def _name(path: Path) -> str:
    found = _json(path)
    if not isinstance(found, str):
        raise _unfit(path, "a generator's name as text")
    return found


def _rules(path: Path) -> PolicyRules:
    stored = _json(path)
    try:
        stored["blocked_artists"] = tuple(stored["blocked_artists"])
        return PolicyRules(**stored)
    except (TypeError, KeyError, AttributeError) as error:
        # Whole by its manifest and still not ours: made by another version of the code.
        raise _unfit(path, f"the fields of PolicyRules ({error})") from error


def _json(path: Path) -> Any:  # noqa: ANN401 - what a file holds is known once it was looked at
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise _unfit(path, f"JSON ({error})") from error


def _unfit(path: Path, expected: str) -> SegueError:
    name = "/".join(path.parts[-3:])
    return SegueError(
        f"{name}: expected {expected}, found other content; run `segue run train` with this version of "
        "the code, or roll back"
    )
