"""A home to serve from, of any size, without simulating or training one.

    python -m tests.benchmarks.serving_world FOLDER [--tracks 100000 --listeners 50000 --seed 7 --dimension 128]

Belongs here: a published state and two bundles whose arrays have the sizes and the skew of fitted ones.
Does not belong here: the clock (bench_serving); anything whose quality is judged.

The vectors stand around genres and artists as encoded words do (median cosine .75, .92 within a genre),
factors are longer where tracks are popular, and most of what is drawn falls on few tracks.
"""

import argparse
import json
import os
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Arrays, Generator
from ml.candidates.merge import Pool
from ml.candidates.near import NearLists
from ml.candidates.plan import GENERATORS, PLAN
from ml.policy.rules import DEFAULT_RULES
from ml.ranking.features import FeatureMatrix, assemble
from ml.ranking.model import LabelledMatrix, Ranker, RankerParameters, train_ranker
from ml.ranking.surface import SurfaceSources
from ml.registry.bundle import BundleFacts, write_bundle
from ml.registry.pointer import write_pointer
from ml.serving.recommender import SurfaceModel
from ml.serving.saved import write_recommender
from ml.state.catalogue import Catalogue
from ml.state.columns import Columns, PairTable
from ml.state.publish import publish_state
from ml.state.requests import Requests, requests_from_table
from ml.state.state import (
    TRACK_COLUMNS,
    USER_ARTIST_COLUMNS,
    USER_COLUMNS,
    USER_TRACK_COLUMNS,
    State,
)
from ml.tables import REQUESTS
from orchestration.home import SIMULATED, Home, Source, write_home
from orchestration.settings import Settings
from tests.benchmarks.measure import console

LAST_DAY = date(2026, 3, 9)
AT = datetime(2026, 3, 10, 9, tzinfo=UTC)
GENRES = 300
DIMENSION = 128
_SESSIONS = 50_000
_PAIRS = 300_000
# Requests that the rankers are fitted on, and those of them that they are judged on.
_ASKED, _JUDGED = 150, 20
_AGREED = 0.6
_TREES = {"home": 60, "now_playing": 80}


class World:
    """Draws of one seed over `tracks` tracks, an artist for every ten, and `listeners` listeners."""

    def __init__(self, tracks: int, listeners: int, seed: int, dimension: int = DIMENSION) -> None:
        self.tracks, self.listeners, self.dimension = tracks, listeners, dimension
        self.draw = np.random.default_rng(seed)
        self.artists = max(tracks // 10, 1)
        self.popular = self.draw.zipf(1.3, tracks).clip(max=10_000).astype(np.float32)
        self._drawn = np.cumsum(self.popular, dtype=np.float64)
        self.genre = np.sort(self.draw.integers(0, GENRES, (self.artists, 4)), axis=1)
        self.artist = (np.arange(tracks) % self.artists).astype(np.int32)
        self.vectors = self._vectors()

    def picked(self, count: int) -> NDArray[np.int32]:
        """Tracks by popularity, with repetition, int32 (count)."""
        at = np.searchsorted(self._drawn, self.draw.random(count) * self._drawn[-1], side="right")
        return np.minimum(at, self.tracks - 1).astype(np.int32)

    def _around(self, count: int) -> NDArray[np.float32]:
        rows = self.draw.standard_normal((count, self.dimension), dtype=np.float32)
        scaled: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return scaled

    def _vectors(self) -> NDArray[np.float32]:
        rows = self._around(1) + 0.25 * self._around(self.tracks)
        rows += (0.45 * self._around(GENRES))[self.genre[self.artist, 0]]
        rows += (0.2 * self._around(self.artists))[self.artist]
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit.astype(np.float32)

    def rows(self, rows: int, each: int, *, ones: bool = False) -> sparse.csr_matrix:
        """A matrix (rows, tracks) with at most `each` entries a row, on popular tracks mostly; six in ten
        on a few of them, as sources that learned from the same listens agree."""
        column = self.picked(rows * each)
        known = self.draw.random(len(column)) < _AGREED
        core = np.argsort(-self.popular, kind="stable")[: self.tracks // 250 + 1]
        column[known] = core[self.draw.integers(0, len(core), int(known.sum()))]
        value = self.draw.random(rows * each, dtype=np.float32) * np.float32(0.1)
        indptr = np.arange(rows + 1, dtype=np.int64) * each
        matrix = sparse.csr_matrix((value, column, indptr), shape=(rows, self.tracks))
        matrix.sum_duplicates()
        if ones:
            matrix.data[:] = 1.0
        return matrix

    def pairs(self, names: tuple[str, ...], items: int, each: int) -> PairTable:
        """Each listener with 5 to 2 `each` items, fewer where one is drawn twice."""
        count = self.draw.integers(5, 2 * each, self.listeners)
        owner = np.repeat(np.arange(self.listeners, dtype=np.int64), count)
        item = self.picked(len(owner)) % items
        key = np.unique(owner * items + item)
        indptr = np.searchsorted(key, np.arange(self.listeners + 1, dtype=np.int64) * items)
        values = self.draw.random((len(names), len(key)), dtype=np.float32) * 5
        return PairTable(indptr, (key % items).astype(np.int32), Columns(names, values), items)

    def catalogue(self) -> Catalogue:
        """Ten tracks an artist, four genres a track, a fiftieth of the tracks new."""
        count, known = self.tracks, np.full(self.tracks, 20_000, dtype=np.int32)
        known[count - count // 50 :] = (LAST_DAY - date(1970, 1, 1)).days - 3
        genres = np.ones(4 * count, np.float32), self.genre[self.artist].ravel().astype(np.int32)
        membership = sparse.csr_matrix(
            (*genres, np.arange(count + 1) * 4), shape=(count, GENRES), dtype=np.float32
        )
        membership.sum_duplicates()
        membership.data[:] = 1.0
        whole = np.arange(count, dtype=np.int32)
        return Catalogue(
            track_ids=pa.array([f"track-{i:07d}" for i in range(count)]),
            titles=pa.array([f"Title {i}" for i in range(count)]),
            artist_names=pa.array([f"Artist {i % self.artists}" for i in range(count)]),
            artist_ids=pa.array([f"artist-{i:06d}" for i in range(self.artists)]),
            artist=self.artist,
            album=whole // 8,
            recording=whole,
            released_day=np.full(count, 18_000, dtype=np.int32),
            first_known_day=known,
            duration_ms=np.full(count, 200_000, dtype=np.float32),
            explicit=np.zeros(count, dtype=np.int8),
            audio=self.draw.random((count, 7), dtype=np.float32),
            genres=membership,
        )

    def state(self) -> State:
        """The state of the day after LAST_DAY."""
        streams = np.tile(self.popular, (len(TRACK_COLUMNS), 1))
        streams *= np.linspace(1.0, 0.5, len(streams), dtype=np.float32)[:, None]
        habits = self.draw.random((len(USER_COLUMNS), self.listeners), dtype=np.float32) * 20
        return State(
            LAST_DAY + timedelta(days=1),
            self.catalogue(),
            pa.array([f"user-{i:07d}" for i in range(self.listeners)]),
            Columns(USER_COLUMNS, habits),
            Columns(TRACK_COLUMNS, streams),
            self.pairs(USER_TRACK_COLUMNS, self.tracks, 60),
            self.pairs(USER_ARTIST_COLUMNS, self.artists, 30),
        )


def _packed(matrix: sparse.csr_matrix) -> dict[str, NDArray[np.generic]]:
    return {
        "data": matrix.data,
        "indices": matrix.indices.astype(np.int32),
        "indptr": matrix.indptr.astype(np.int64),
    }


def _fitted(world: World) -> dict[str, Arrays]:
    """Arrays of every generator that learns something, as wide as training makes them."""
    tracks = world.tracks
    length = np.log1p(world.popular) / np.log1p(world.popular.max())
    factors = (world.vectors[:, :64] * (2.5 * length / 0.7)[:, None]).astype(np.float32)
    worded, folded = (NearLists.make(one, 7) for one in (world.vectors, factors))
    near, step = world.rows(tracks, 100), world.rows(tracks, 200)
    keys = world.picked(_PAIRS) * np.int64(tracks) + world.picked(_PAIRS)
    pairs = np.unique(keys)
    return {
        "item_item": _packed(world.rows(tracks, 100)),
        "ease": _packed(world.rows(tracks, 10)),
        "recent_walk": _packed(step),
        "ials": {"factors": factors, **(folded.arrays() if folded else {})},
        "content": {"vectors": world.vectors, **(worded.arrays() if worded else {})},
        "transitions": _packed(step),
        "walk": _packed(step),
        "session_knn": _packed(world.rows(min(_SESSIONS, tracks), 15, ones=True)),
        "suffix": {"pairs": pairs, **_packed(world.rows(len(pairs), 10))},
        "session_item_item": _packed(near),
        "session_memory": _packed(near),
        "session_content": {"vectors": world.vectors, **(worded.arrays() if worded else {})},
    }


def _asked(world: World, state: State, surface: str) -> Requests:
    """Requests of listeners drawn at random, with a session of five where the surface has one."""
    session = world.picked(5 * _ASKED).reshape(_ASKED, 5)
    ids, users = state.catalogue.track_ids, world.draw.integers(0, world.listeners, _ASKED)
    wanted = session if surface != "home" else session[:, :0]
    rows = {
        "request_id": [f"{surface}-{row}" for row in range(_ASKED)],
        "user_id": [str(state.user_ids[int(user)]) for user in users],
        "surface": [surface] * _ASKED,
        "at": [AT] * _ASKED,
        "session_track_ids": [ids.take(pa.array(row)).to_pylist() for row in wanted],
    }
    return requests_from_table(pa.table(rows, schema=REQUESTS.schema), surface, state)


def _ranker(asked: Requests, pool: Pool, sources: SurfaceSources, state: State) -> Ranker:
    """As many trees as training grows, on grades that follow the sources' agreement and chance."""
    features = assemble(asked, pool, state, sources.vectors, sources.relations)
    chance = np.random.default_rng(1).random(len(pool.track))
    worth = np.nansum(1.0 / (60.0 + pool.rank), axis=0) * 20 + chance
    grade = (worth > np.quantile(worth, 0.95)).astype(np.int8)
    whole = LabelledMatrix(features, pool.request, grade)
    few = pool.request < _JUDGED
    judged = LabelledMatrix(
        FeatureMatrix(features.names, features.values[few]), pool.request[few], grade[few]
    )
    trees = _TREES[asked.surface]
    return train_ranker(
        whole, judged, RankerParameters(threads=1, rounds=trees, early_stopping=trees)
    )


def _surface(surface: str, fitted: dict[str, Arrays], world: World, state: State) -> SurfaceModel:
    identity = np.arange(world.tracks, dtype=np.int32)
    made: dict[str, Generator] = {
        generator.name: GENERATORS[generator.name].restore(
            fitted.get(generator.name, {}), identity, world.tracks
        )
        for generator, _ in PLAN[surface]
    }
    sources = SurfaceSources(surface, made, world.vectors)
    asked = _asked(world, state, surface)
    pool = sources.propose(asked, state)
    ranker = _ranker(asked, pool, sources, state)
    return SurfaceModel(sources, ranker, "popularity", DEFAULT_RULES[surface])


def make_home(
    folder: Path, tracks: int, listeners: int, seed: int, dimension: int = DIMENSION
) -> tuple[str, str]:
    """A home with state, two bundles and a pointer at the first; the bundles' versions.

    The second differs in Home's cap of tracks an artist alone and shares the other files.
    """
    settings = Settings(folder)
    world = World(tracks, listeners, seed, dimension)
    state = world.state()
    publish_state(state, settings.states)
    fitted = _fitted(world)
    surfaces = {name: _surface(name, fitted, world, state) for name in PLAN}
    rankers = {name: model.ranker for name, model in surfaces.items()}
    features = {name: ranker.names for name, ranker in rankers.items() if ranker}
    facts = BundleFacts(str(LAST_DAY), seed, "bench", features, {}, {}, {})
    ids = state.catalogue.track_ids

    def build(target: Path) -> None:
        write_recommender(target, ids, world.vectors, surfaces)

    first = write_bundle(settings.bundles, build, facts)

    def change(target: Path) -> None:
        shutil.copytree(settings.bundles / first, target, os.link, dirs_exist_ok=True)
        (target / "manifest.json").unlink()
        rules = target / "home" / "rules.json"
        stored = {**json.loads(rules.read_text()), "artist_cap": 4}
        rules.unlink()
        rules.write_text(json.dumps(stored, sort_keys=True))

    second = write_bundle(settings.bundles, change, facts)
    write_pointer(settings.champion_pointer, first, AT.isoformat())
    write_home(settings, Home(LAST_DAY, LAST_DAY, Source(SIMULATED, seed=seed)))
    return first, second


def main() -> int:
    """Make the home and print the versions of its bundles as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--listeners", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dimension", type=int, default=DIMENSION, help="of the text vectors")
    told = parser.parse_args()
    versions = make_home(told.folder, told.tracks, told.listeners, told.seed, told.dimension)
    console().print_json(data=versions)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
