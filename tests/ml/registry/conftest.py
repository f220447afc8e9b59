"""A small model in memory, and the same as a bundle and a published state on disk."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xgboost

from ml.candidates.generator import FitInput
from ml.candidates.plan import fit_generators
from ml.policy.rules import PolicyRules
from ml.ranking.features import assemble
from ml.ranking.model import ranker_of
from ml.ranking.surface import SurfaceSources
from ml.registry.bundle import BundleFacts, write_bundle
from ml.registry.evidence import Invariant
from ml.registry.invariants import measured
from ml.registry.policy import shipped_policy
from ml.serving.recommender import Recommender, SurfaceModel
from ml.serving.saved import load_recommender, write_recommender
from ml.state.log import Log, day_number
from ml.state.publish import load_state, publish_state
from ml.state.requests import Requests
from ml.state.state import State

USERS, TRACKS, K = 12, 60, 20


def log_of(state: State) -> Log:
    """Listener i plays ten tracks from 4 i on, on the day before the state."""
    user = np.repeat(np.arange(USERS), 10)
    position = np.tile(np.arange(10), USERS)
    day = day_number(state.valid_on) - 1
    return Log(
        user=user.astype(np.int32),
        track=((4 * user + position) % TRACKS).astype(np.int32),
        session=user.astype(np.int32),
        position=position.astype(np.int32),
        played_at=(day * 86_400 + user * 3_600 + position * 200).astype(np.int64),
        known_day=np.full(len(user), day, np.int32),
        ms_played=np.full(len(user), 200_000, np.int32),
        is_stream=np.ones(len(user), np.bool_),
        surface=np.zeros(len(user), np.int8),
        users=USERS,
        tracks=TRACKS,
    )


def asked(surface: str, state: State) -> Requests:
    """Every listener and an unknown one; on now_playing after two tracks of their own."""
    user = np.append(np.arange(USERS), -1).astype(np.int32)
    session = [[], [5]] if surface == "home" else [[3, 4], [7, 8]]
    length = len(session[0])
    return Requests(
        surface,
        pa.array([f"{surface}-{one}" for one in user], pa.string()),
        pa.array([f"u{one}" if one >= 0 else None for one in user], pa.string()),
        user,
        np.full(len(user), day_number(state.valid_on) * 86_400, np.int64),
        np.arange(len(user) + 1, dtype=np.int64) * length,
        np.tile(np.array(session[0], np.int32), len(user)),
    )


def surface_model(surface: str, data: FitInput) -> SurfaceModel:
    """Fitted sources, and a ranker that learned to tell candidates apart by chance."""
    sources = SurfaceSources(surface, fit_generators(surface, data), data.vectors)
    requests = asked(surface, data.state)
    pool = sources.propose(requests, data.state)
    features = assemble(requests, pool, data.state, data.vectors, sources.relations)
    grade = np.random.default_rng(3).integers(0, 3, len(pool.track))
    booster = xgboost.train(
        {"max_depth": 5, "nthread": 1, "seed": 1},
        xgboost.DMatrix(features.values, grade),
        20,
    )
    return SurfaceModel(sources, ranker_of(features.names, booster), "popularity", PolicyRules())


@dataclass(frozen=True)
class Stored:
    """A model in memory, and the bundle and state on disk."""

    built: Recommender
    bundle: Path
    published: Path
    parts: list[Requests]

    def read_back(self) -> Recommender:
        return load_recommender(self.bundle, self.bundle.name, load_state(self.published))

    def invariants(self, built: Recommender | None = None) -> dict[str, Invariant]:
        asked = shipped_policy().invariants
        return measured(self.bundle, built or self.built, self.read_back(), self.parts, asked, K)


@pytest.fixture
def stored(make_state: Callable[..., State], stream: Callable[..., dict], tmp_path: Path) -> Stored:
    plays = {
        (user, (4 * user + step) % TRACKS): stream(1.0 + step % 3)
        for user in range(USERS)
        for step in range(10)
    }
    state = make_state(users=USERS, tracks=TRACKS, plays=plays)
    vectors = np.random.default_rng(1).normal(size=(TRACKS, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    data = FitInput(log_of(state), state.catalogue, state, vectors, state.valid_on, 7)
    surfaces = {name: surface_model(name, data) for name in ("home", "now_playing")}
    facts = BundleFacts(state.valid_on.isoformat(), 7, "0.1.0", {}, {}, {}, {})

    def write(folder: Path) -> None:
        write_recommender(folder, state.catalogue.track_ids, vectors, surfaces)

    version = write_bundle(tmp_path / "bundles", write, facts)
    published = publish_state(state, tmp_path / "state")
    parts = [asked(name, state) for name in surfaces]
    return Stored(
        Recommender(version, state, surfaces), tmp_path / "bundles" / version, published, parts
    )
