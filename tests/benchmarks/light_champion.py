"""A small frozen champion for the bench of monitoring: state, candidates, features and a ranker.

Belongs here: what a champion gives monitoring (vectors, inputs, scores, lists), light enough to live
150 days in seconds. Does not belong here: the product's models (ml) or judging (bench_monitoring). States
are dense arrays of listeners and tracks: worlds of the bench are small.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.simulation.world import World
from ml.tables import RECOMMENDATIONS
from monitoring.plays import Vectors

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

DIMENSIONS = 32
LISTED = 20
SAMPLED_ROWS = 4_000
# Candidates of a listener: what they play, what everybody plays, what their artists bring.
_OWN, _POPULAR, _ARTISTS = 30, 30, 20
FEATURES = (
    "listener_track_streams_h8",
    "listener_track_streams_h63",
    "listener_track_last_age",
    "listener_artist_streams_h22",
    "listener_plays_h22",
    "listener_skip_rate",
    "track_plays_h22",
    "track_skip_rate",
    "track_known_age",
    "text_taste_cosine",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Listens that became known on a day, as codes (n)."""

    user: Ints
    track: Ints
    is_stream: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at 00:00 UTC of day number `day`: sums that halve in 8, 22 or 63 days, float32
    (listeners, tracks or artists), `last` the day of the last play, -inf = never."""

    day: int
    own8: Floats
    own63: Floats
    last: Floats
    artist22: Floats
    plays22: Floats
    skips22: Floats
    track_plays22: Floats
    track_skips22: Floats

    def after(self, rows: Rows, artist: Ints) -> "Known":
        """The same a day later, with what became known on the day; this one is not changed."""
        users, tracks = self.own8.shape
        streams = _pairs(rows.user, rows.track, rows.is_stream, (users, tracks))
        by_artist = _pairs(rows.user, artist[rows.track], rows.is_stream, self.artist22.shape)
        last = self.last.copy()
        last[rows.user, rows.track] = self.day
        skip = ~rows.is_stream
        return Known(
            self.day + 1,
            _later(self.own8, 8, streams),
            _later(self.own63, 63, streams),
            last,
            _later(self.artist22, 22, by_artist),
            _later(self.plays22, 22, np.bincount(rows.user, minlength=users)),
            _later(self.skips22, 22, np.bincount(rows.user, skip, users)),
            _later(self.track_plays22, 22, np.bincount(rows.track, minlength=tracks)),
            _later(self.track_skips22, 22, np.bincount(rows.track, skip, tracks)),
        )


def nothing_known(world: World) -> Known:
    """The state before the first day."""
    users, tracks = len(world.listeners.known), world.catalogue.size
    artists = int(world.catalogue.artist.max()) + 1
    pairs = np.zeros((users, tracks), np.float32)
    user, track = np.zeros(users, np.float32), np.zeros(tracks, np.float32)
    by_artist = np.zeros((users, artists), np.float32)
    return Known(0, pairs, pairs, pairs - np.inf, by_artist, user, user, track, track)


@dataclass(frozen=True, slots=True)
class Champion:
    """Frozen parts: `vectors` of the tracks known then (unit length), the ranker and its gain."""

    vectors: Vectors
    ranker: Any
    gain: dict[str, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """A day's lists: `table` RECOMMENDATIONS rows, `features` sampled ranker inputs, `scores` rank and
    score; `user`, `track` int64 (lists, 20) as codes."""

    table: pa.Table
    features: pa.Table
    scores: pa.Table


def words_of(world: World, tracks: int) -> Vectors:
    """Vectors of the first `tracks` tracks from their genres, tags and artists, as text gives them."""
    table = world.catalogue.table.slice(0, tracks)
    words = [
        [*(genres or []), *(tags or []), artist]
        for genres, tags, artist in zip(
            table["genres"].to_pylist(),
            table["tags"].to_pylist(),
            table["artist_name"].to_pylist(),
            strict=True,
        )
    ]
    names = sorted({word for one in words for word in one})
    code = {word: place for place, word in enumerate(names)}
    holds = np.zeros((tracks, len(names)), np.float32)
    for row, one in enumerate(words):
        holds[row, [code[word] for word in one]] = 1.0
    holds *= np.log(tracks / holds.sum(axis=0)).astype(np.float32)
    # The widest directions of the weighted words (latent semantic analysis).
    direction = np.linalg.eigh(holds.T @ holds)[1][:, -DIMENSIONS:]
    values = holds @ direction
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    genre = {
        track: (genres or [""])[0]
        for track, genres in zip(
            table["track_id"].to_pylist(), table["genres"].to_pylist(), strict=True
        )
    }
    return Vectors(table["track_id"].to_pylist(), values.astype(np.float32), genre)


def trained(world: World, vectors: Vectors, known: Known, next_day: Rows, seed: int) -> Champion:
    """A ranker that learned from one day which candidates were streamed."""
    import xgboost

    users, tracks = candidates(world, known)
    values = inputs(world, vectors, known, users, tracks)
    streamed = _pairs(next_day.user, next_day.track, next_day.is_stream, known.own8.shape) > 0
    label = streamed[users[:, None], tracks].ravel()
    ranker = xgboost.XGBClassifier(
        n_estimators=40, max_depth=4, learning_rate=0.2, n_jobs=1, random_state=seed
    )
    ranker.fit(values, label)
    gain = ranker.get_booster().get_score(importance_type="total_gain")
    named = {FEATURES[int(name[1:])]: float(one) for name, one in gain.items()}
    total = sum(named.values())
    return Champion(vectors, ranker, {name: one / total for name, one in named.items()})


def candidates(world: World, known: Known) -> tuple[Ints, Ints]:
    """(listeners (u), their candidates (u, 80)): everybody who played in the last four weeks."""
    users = np.flatnonzero(known.plays22 > 0)
    alive = world.catalogue.known < known.day
    popular = np.where(alive, known.track_plays22, -1.0)
    own = known.own8[users] + 0.1 * known.own63[users]
    brought = known.artist22[users][:, world.catalogue.artist] * np.log1p(popular.clip(0))
    common = np.argsort(-popular, kind="stable")[:_POPULAR]
    parts = (
        np.argpartition(-own, _OWN, axis=1)[:, :_OWN],
        np.broadcast_to(common, (len(users), _POPULAR)),
        np.argpartition(-brought, _ARTISTS, axis=1)[:, :_ARTISTS],
    )
    return users, np.sort(np.concatenate(parts, axis=1), axis=1)


def inputs(world: World, vectors: Vectors, known: Known, users: Ints, tracks: Ints) -> Floats:
    """The ranker's inputs float32 (u * candidates, features), nan = not known."""
    owner = np.repeat(users, tracks.shape[1])
    track = tracks.ravel()
    inside = np.minimum(track, len(vectors.values) - 1)
    taste = known.own63[:, : len(vectors.values)] @ vectors.values
    taste /= np.maximum(np.linalg.norm(taste, axis=1, keepdims=True), 1e-9)
    cosine = np.einsum("ij,ij->i", taste[owner], vectors.values[inside])
    age = known.day - known.last[owner, track]
    columns = (
        np.log1p(known.own8[owner, track]),
        np.log1p(known.own63[owner, track]),
        np.where(np.isfinite(age), age, np.nan),
        np.log1p(known.artist22[owner, world.catalogue.artist[track]]),
        np.log1p(known.plays22[owner]),
        known.skips22[owner] / np.maximum(known.plays22[owner], 1e-6),
        np.log1p(known.track_plays22[track]),
        (known.track_skips22[track] + 1.5) / (known.track_plays22[track] + 5.0),
        known.day - world.catalogue.known[track],
        np.where(track < len(vectors.values), cosine, np.nan),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def answer(world: World, champion: Champion, known: Known, state_day: date, seed: int) -> Answer:
    """Twenty tracks for everybody, in force on the day after `state_day`."""
    users, tracks = candidates(world, known)
    values = inputs(world, champion.vectors, known, users, tracks)
    score = champion.ranker.predict_proba(values)[:, 1].reshape(tracks.shape)
    # A track proposed twice stands once.
    score[:, 1:][tracks[:, 1:] == tracks[:, :-1]] = -1.0
    place = np.argsort(-score, axis=1, kind="stable")[:, :LISTED]
    listed, worth = (np.take_along_axis(one, place, axis=1) for one in (tracks, score))
    row = (np.arange(len(users))[:, None] * tracks.shape[1] + place).ravel()
    drawn = np.sort(np.random.default_rng(seed).permutation(len(row))[:SAMPLED_ROWS])
    shown = values[row[drawn]]
    ids = world.listeners.table["user_id"].take(pa.array(np.repeat(users, LISTED)))
    size = len(row)
    empty = pa.array([[]] * size, pa.list_(pa.string()))
    columns = {
        "request_id": ids,
        "user_id": ids,
        "surface": pa.array(["home"] * size),
        "rank": pa.array(np.tile(np.arange(1, LISTED + 1), len(users)), pa.int32()),
        "track_id": world.catalogue.table["track_id"].take(pa.array(listed.ravel())),
        "score": worth.ravel().astype(np.float64),
        "propensity": np.ones(size),
        "sources": empty,
        "reasons": empty,
        "model_version": pa.array(["frozen"] * size),
        "state_day": pa.array([state_day] * size, pa.date32()),
    }
    table = pa.table(columns, schema=RECOMMENDATIONS.schema)
    features = pa.table({name: shown[:, place] for place, name in enumerate(FEATURES)})
    return Answer(table, features, table.select(["rank", "score"]))


def _later(sums: Floats, half_life: int, day: NDArray[Any]) -> Floats:
    """What the sums are at the end of a day on which `day` was added."""
    return ((sums + day) * np.float32(0.5 ** (1 / half_life))).astype(np.float32)


def _pairs(row: Ints, column: Ints, weight: NDArray[Any], shape: tuple[int, int]) -> Floats:
    flat = np.bincount(row * shape[1] + column, weight, shape[0] * shape[1])
    return flat.reshape(shape).astype(np.float32)
