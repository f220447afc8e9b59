"""From a training run to a bundle.

Belongs here: which fitted parts go in, the facts of the manifest, the monitoring reference. Does not
belong here: hashing and verification (ml.registry.bundle).
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib.metadata import version as package_version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from ml.embeddings.encoder import OWN
from ml.policy.rules import DEFAULT_RULES
from ml.ranking.order import read_choice
from ml.ranking.run import TrainingRun
from ml.ranking.steps import cut_vectors, own_encoder, serving_sources, stored_ranker
from ml.ranking.training import SERVE
from ml.registry.bundle import BundleFacts, write_bundle
from ml.serving.batch import ACTIVE_DAYS, recommend_day
from ml.serving.recommender import Recommender, SurfaceModel
from ml.serving.saved import ENCODER, write_recommender
from ml.state.state import State
from ml.tables import RECOMMENDED_SURFACES

LIST_LENGTH = 20
# Rows and content of every lake day that the model could see, in the bundle's folder `reference`.
LAKE = "lake.parquet"
_REFERENCE_ROWS = 5_000
# Enough for a distribution of scores; all of 100,000 anonymous sessions took 80 s.
_REFERENCE_LISTENERS = 5_000
_ML = Path(__file__).resolve().parents[1]


@cache
def code_version() -> str:
    """Package version and the hash of ml's source: what a model depends on beside its data."""
    total = hashlib.sha256()
    for path in sorted(_ML.rglob("*.py")):
        total.update(str(path.relative_to(_ML)).encode() + path.read_bytes())
    return f"{package_version('segue')}+{total.hexdigest()[:12]}"


def surface_models(run: TrainingRun, state: State) -> dict[str, SurfaceModel]:
    """Both surfaces as they will serve: sources fitted at as_of, rankers as judged."""
    return {
        surface: SurfaceModel(
            serving_sources(run, surface, state),
            stored_ranker(run, surface, run.plan.ranker_parameters(surface).threads),
            read_choice(run.choice(surface)).leader,
            DEFAULT_RULES[surface],
            read_choice(run.choice(surface)).strangers,
        )
        for surface in RECOMMENDED_SURFACES
    }


def build_bundle(
    bundles: Path,
    run: TrainingRun,
    state: State,
    *,
    active_days: int = ACTIVE_DAYS,
    encoder: str = OWN,
    lake: pa.Table | None = None,
) -> str:
    """Write the run's bundle and return its version; `state` is the one valid on as_of.

    Beside the fitted parts it holds what monitoring compares with: lists, scores and sampled ranker inputs
    of its own first day, and the gain of each feature; `lake`, what the lake held (ml.registry.
    lake_content), so that a rebuilt model can say why it differs; and the own text encoder, by which the service
    compares words with tracks. An encoder by name stays where it is: such a bundle answers no words.
    """
    surfaces = surface_models(run, state)
    lists, features = recommend_day(
        Recommender("candidate", state, surfaces),
        LIST_LENGTH,
        sampled_rows=_REFERENCE_ROWS,
        seed=run.plan.seed,
        active_days=active_days,
        listeners=_REFERENCE_LISTENERS,
    )

    def write(folder: Path) -> None:
        vectors = cut_vectors(run, SERVE)
        write_recommender(folder, state.catalogue.track_ids, vectors, surfaces)
        _write_reference(folder / "reference", lists, features, surfaces)
        if lake is not None:
            pq.write_table(lake, folder / "reference" / LAKE)
        own = own_encoder(run) if encoder == OWN else None
        if vectors is not None and own is not None:
            shutil.copytree(own, folder / ENCODER)

    facts = _facts(run, state, surfaces, {"active_days": active_days, "encoder": encoder})
    return write_bundle(bundles, write, facts)


def _write_reference(
    folder: Path, lists: pa.Table, features: pa.Table, surfaces: Mapping[str, SurfaceModel]
) -> None:
    """What monitoring compares later days with: ranks and scores, ranker inputs, gains."""
    folder.mkdir()
    pq.write_table(lists.select(["rank", "score"]), folder / "scores.parquet")
    feather.write_feather(features, folder / "features.arrow")
    for surface, model in surfaces.items():
        gain = model.ranker.gain() if model.ranker is not None else {}
        (folder / f"{surface}_gain.json").write_text(json.dumps(gain, indent=0))


def ranker_setting(surface: str) -> str:
    """The setting that holds the hyper-parameters of a surface's ranker as JSON."""
    return f"{surface} ranker"


def _ranker(run: TrainingRun, surface: str) -> str:
    return json.dumps(asdict(run.plan.ranker_parameters(surface)), sort_keys=True)


def _facts(
    run: TrainingRun,
    state: State,
    surfaces: dict[str, SurfaceModel],
    chosen: Mapping[str, str | int | float],
) -> BundleFacts:
    windows = run.plan.windows
    named = {"train": windows.train, "validation": windows.validation, "test": windows.test}
    return BundleFacts(
        as_of=run.plan.as_of.isoformat(),
        seed=run.plan.seed,
        code_version=code_version(),
        features={
            surface: model.ranker.names
            for surface, model in surfaces.items()
            if model.ranker is not None
        },
        windows={name: tuple(day.isoformat() for day in days) for name, days in named.items()},
        data={
            "tracks": state.catalogue.size,
            "listeners": len(state.user_ids),
            "listens": int(state.users["plays"].sum()),
        },
        settings={
            **chosen,
            **asdict(run.plan.sampling),
            **{ranker_setting(surface): _ranker(run, surface) for surface in surfaces},
            "served by": ", ".join(
                f"{surface}: {read_choice(run.choice(surface)).serves}" for surface in surfaces
            ),
            "generators": ", ".join(
                f"{surface}: {' '.join(model.sources.generators)}"
                for surface, model in surfaces.items()
            ),
        },
    )
