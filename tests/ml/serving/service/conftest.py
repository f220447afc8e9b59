"""A service over a small fitted world, asked in-process."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from starlette.testclient import TestClient

from ml.candidates.generator import FitInput
from ml.candidates.plan import fit_generators
from ml.policy.rules import DEFAULT_RULES
from ml.ranking.features import assemble
from ml.ranking.model import ranker_of
from ml.ranking.surface import SurfaceSources
from ml.registry.bundle import BundleFacts, write_bundle
from ml.registry.pointer import write_pointer
from ml.serving.recommender import SurfaceModel
from ml.serving.saved import write_recommender
from ml.serving.service.app import create_app
from ml.serving.service.service import Service
from ml.serving.service.settings import ServiceSettings
from ml.state.log import Log, day_number
from ml.state.publish import publish_state
from ml.state.requests import Asked, one_request
from ml.state.state import State

USERS, TRACKS = 12, 80
# A quarter past eight of the day after the state's last one (tests/ml/conftest.py: 2026-03-10).
NOW = datetime(2026, 3, 10, 8, 15, tzinfo=UTC)


def plays_of(user: int) -> list[int]:
    """Listener i plays ten tracks from 5 i on: neighbours share five."""
    return [(5 * user + step) % TRACKS for step in range(10)]


def log_of(state: State) -> Log:
    """Each listener's ten tracks as one session on the day before the state."""
    user = np.repeat(np.arange(USERS), 10)
    track = np.array([track for one in range(USERS) for track in plays_of(one)])
    day = day_number(state.valid_on) - 1
    position = np.tile(np.arange(10), USERS)
    return Log(
        user=user.astype(np.int32),
        track=track.astype(np.int32),
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


def surface_model(surface: str, data: FitInput, seed: int) -> SurfaceModel:
    """Fitted sources and a ranker of three small trees that learned noise: its order is its own."""
    sources = SurfaceSources(surface, fit_generators(surface, data), data.vectors)
    state = data.state
    at = datetime.combine(state.valid_on, datetime.min.time(), tzinfo=UTC)
    asked = Asked(surface, "r", "u1", at, ["t5", "t6"] if surface == "now_playing" else [])
    block = one_request(asked, state.user_index, state.track_index)
    pool = sources.propose(block, state)
    features = assemble(block, pool, state, data.vectors, sources.relations)
    grade = np.random.default_rng(seed).integers(0, 3, len(pool.track))
    matrix = xgboost.DMatrix(features.values, grade)
    booster = xgboost.train({"max_depth": 3, "seed": seed, "nthread": 1}, matrix, 3)
    return SurfaceModel(
        sources, ranker_of(features.names, booster), "popularity", DEFAULT_RULES[surface]
    )


class Asking(TestClient):
    """A client that knows its service and how lists are asked for."""

    service: Service

    def until_written(self) -> None:
        """Return once the impressions of all answers are in the journal: answers do not wait."""
        self.portal.call(self.service.written)

    def ask(self, surface: str = "home", status: int = 200, **body: object) -> dict[str, Any]:
        """The answer to a question, of the expected status."""
        found = self.post(f"/v1/{surface}", json=body)
        assert found.status_code == status, found.text
        answer: dict[str, Any] = found.json()
        return answer

    def tell(self, *events: dict[str, object]) -> dict[str, Any]:
        """What became of events."""
        found = self.post("/v1/events", json={"events": list(events)})
        assert found.status_code == 202, found.text
        answer: dict[str, Any] = found.json()
        return answer


def listen(listen_id: str, user: str, track: str, ms: int = 200_000) -> dict[str, object]:
    """A listen at NOW; under 30,000 ms it is a skip."""
    return {
        "kind": "listen",
        "listen_id": listen_id,
        "user_id": user,
        "track_id": track,
        "played_at": NOW.isoformat(),
        "ms_played": ms,
        "surface": "home",
    }


@dataclass
class World:
    """A home's folders with two bundles, `first` the champion."""

    home: Path
    first: str
    second: str

    @property
    def settings(self) -> ServiceSettings:
        """Settings of a service on them; a minute is time enough on a busy machine."""
        return ServiceSettings(
            bundles=self.home / "bundles",
            states=self.home / "state",
            pointer=self.home / "champion.json",
            journal=self.home / "events",
            deadline_ms=60_000,
            watch_seconds=0.02,
        )

    def serve(self, version: str) -> None:
        """Promote a bundle."""
        write_pointer(self.settings.pointer, version, NOW.isoformat())


def build(home: Path, state: State) -> World:
    """Fit, bundle and publish."""
    vectors = np.random.default_rng(1).standard_normal((TRACKS, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    data = FitInput(log_of(state), state.catalogue, state, vectors, state.valid_on, 7)
    versions = []
    for seed in (1, 2):
        facts = BundleFacts("2026-03-10", seed, "test", {}, {}, {}, {})
        models = {name: surface_model(name, data, seed) for name in ("home", "now_playing")}

        def write(folder: Path, models: dict[str, SurfaceModel] = models) -> None:
            write_recommender(folder, state.catalogue.track_ids, vectors, models)

        versions.append(write_bundle(home / "bundles", write, facts))
    publish_state(state, home / "state")
    world = World(home, *versions)
    world.serve(world.first)
    return world


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Where the world is kept once it was built: fitting takes a second."""
    return {"home": tmp_path_factory.mktemp("world") / "home"}


@pytest.fixture
def state(make_state: Callable[..., State], stream: Callable[..., dict[str, float]]) -> State:
    """Twelve listeners of ten tracks each among eighty, no two played equally often: with equal ones a
    factorisation ties, and the last bits decide."""
    plays = {
        (user, track): stream(1.0 + (7 * user + 3 * track) % 23 / 10 + track / 500)
        for user in range(USERS)
        for track in plays_of(user)
    }
    return make_state(USERS, TRACKS, plays)


@pytest.fixture
def world(built: dict[str, Any], state: State, tmp_path: Path) -> World:
    """A copy of the world that the test may break."""
    if "world" not in built:
        built["world"] = build(built["home"], state)
    shutil.copytree(built["home"], tmp_path / "home")
    kept: World = built["world"]
    return World(tmp_path / "home", kept.first, kept.second)


@dataclass
class Clock:
    """A clock that a test sets, and seconds that pass only when it says so."""

    now: datetime = NOW
    step: float = 0.0
    _count: Iterator[int] = field(default_factory=count)

    def time(self) -> datetime:
        """The set time."""
        return self.now

    def ticks(self) -> float:
        """`step` seconds more at every look."""
        return next(self._count) * self.step

    def later(self, **passed: float) -> None:
        """Let time pass."""
        self.now += timedelta(**passed)


@pytest.fixture
def clock() -> Clock:
    """A clock at NOW."""
    return Clock()


@pytest.fixture
def start(world: World, clock: Clock) -> Iterator[Callable[..., Asking]]:
    """A function that starts a service with changed settings and returns its client."""
    opened: list[Asking] = []

    def begin(**changed: object) -> Asking:
        service = Service(replace(world.settings, **changed), clock.time, clock.ticks)
        client = Asking(create_app(service), raise_server_exceptions=False)
        client.service = service
        client.__enter__()
        opened.append(client)
        return client

    yield begin
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(start: Callable[..., Asking]) -> Asking:
    """A service with the usual settings."""
    return start()


@pytest.fixture
def heard() -> Callable[..., dict[str, object]]:
    """The function that describes a listen."""
    return listen
