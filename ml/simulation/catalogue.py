"""The simulated catalogue: what can be played, and its hidden shape.

Belongs here: artists, albums, tracks, their latent vectors and base popularity. Does not belong here:
listeners.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.simulation import names
from ml.simulation.config import WorldConfig
from ml.tables import TRACKS

DIMENSION = 16
_TRACKS_PER_ARTIST = 12
_TRACKS_PER_ALBUM = 8
# Days over which a world is expected to live: releases are laid out ahead for this long.
HORIZON = 400


@dataclass(frozen=True, slots=True)
class HiddenCatalogue:
    """n tracks: `latent` float32 (n, 16) unit, `artist`, `album`, `genre` int64, `quality` float64 (log
    base popularity), `known` int64 (days after the world's first), `duration_ms` int64; `neighbours`
    int32 (n, 20): what flows well after it. `table` has the public metadata without known_at.
    """

    latent: NDArray[np.float32]
    artist: NDArray[np.int64]
    album: NDArray[np.int64]
    genre: NDArray[np.int64]
    quality: NDArray[np.float64]
    known: NDArray[np.int64]
    duration_ms: NDArray[np.int64]
    neighbours: NDArray[np.int32]
    table: pa.Table

    @property
    def size(self) -> int:
        """Number of tracks, later releases included."""
        return len(self.artist)


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows of length 1."""
    scaled: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(
        np.float32
    )
    return scaled


def _neighbours(
    latent: NDArray[np.float32], quality: NDArray[np.float64], count: int
) -> NDArray[np.int32]:
    """The `count` tracks that flow best after each: close, and not too unknown."""
    size = len(latent)
    found = np.empty((size, count), dtype=np.int32)
    for start in range(0, size, 1_000):
        near = latent[start : start + 1_000] @ latent.T + 0.06 * quality.astype(np.float32)
        near[np.arange(len(near)), np.arange(start, start + len(near))] = -np.inf
        best = np.argpartition(-near, count, axis=1)[:, :count]
        order = np.take_along_axis(near, best, axis=1).argsort(axis=1)[:, ::-1]
        found[start : start + len(near)] = np.take_along_axis(best, order, axis=1)
    return found


def _text(
    artist: NDArray[np.int64],
    genre: NDArray[np.int64],
    shade: NDArray[np.int64],
    random: np.random.Generator,
) -> dict[str, pa.Array]:
    """Titles, artist and album names, genres and tags; some missing, some recordings doubled."""
    size = len(artist)
    number = np.arange(size)
    own_words = np.array([words for _, _, words in names.GENRES])[genre, artist % 4]
    artist_name = names.joined(names.pick(names.FIRST, artist * 7 + artist // 30), own_words)
    artist_name = names.joined(artist_name, names.pick(names.SECOND, artist // 11))
    title = names.joined(
        names.pick(names.VERBS, random.integers(0, 1_000, size)),
        names.pick(names.PLACES, random.integers(0, 1_000, size)),
    )
    # One track in forty is another recording of the one before it on the same record.
    again = (random.random(size) < 0.025) & (number > 0)
    again[1:] &= artist[1:] == artist[:-1]
    where = np.flatnonzero(again)
    title = title.astype(f"<U{title.itemsize // 4 + 16}")
    title[where] = names.joined(title[where - 1], names.pick(names.SUFFIXES, where))
    album = names.joined(
        names.pick(names.FIRST, number // _TRACKS_PER_ALBUM * 13 + 5),
        names.pick(names.SECOND, number // _TRACKS_PER_ALBUM * 3 + 2),
    )
    genre_name = [names.GENRES[g][0] for g in genre]
    tag = [names.GENRES[g][1][s] for g, s in zip(genre, shade, strict=True)]
    lost = random.random(size) < 0.02
    return {
        "title": pa.array(title, pa.string()),
        "artist_name": pa.array(artist_name, pa.string()),
        "album": pa.array(album, pa.string(), mask=random.random(size) < 0.03),
        "genres": pa.array([[g] for g in genre_name], pa.list_(pa.string()), mask=lost),
        "tags": pa.array([[t] for t in tag], pa.list_(pa.string()), mask=lost),
    }


def _audio(
    genre: NDArray[np.int64], latent: NDArray[np.float32], random: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    size = len(genre)
    centre = random.random((len(names.GENRES), 6))
    sway = 1.0 / (1.0 + np.exp(-3.0 * latent[:, :6]))
    level = np.clip(0.5 * centre[genre] + 0.35 * sway + 0.15 * random.random((size, 6)), 0.0, 1.0)
    columns = ("energy", "valence", "danceability", "acousticness", "instrumentalness")
    audio = {name: level[:, i].round(4) for i, name in enumerate(columns)}
    audio["tempo"] = (70 + 100 * level[:, 5]).round(2)
    audio["loudness"] = (-22 + 18 * level[:, 0]).round(2)
    return audio


def create_catalogue(config: WorldConfig) -> HiddenCatalogue:
    """The catalogue of a world, later releases of the coming 400 days included."""
    random = np.random.default_rng([config.seed, 1])
    daily = max(1, round(config.tracks * config.new_release_share))
    size = config.tracks + daily * HORIZON
    artists = max(20, config.tracks // _TRACKS_PER_ARTIST)
    genres, shades = len(names.GENRES), 4
    artist_genre = random.integers(0, genres, artists)
    artist_shade = random.integers(0, shades, artists)
    genre_centre = random.normal(size=(genres, DIMENSION))
    shade_centre = random.normal(size=(genres, shades, DIMENSION))
    artist_centre = (
        genre_centre[artist_genre]
        + 0.7 * shade_centre[artist_genre, artist_shade]
        + 0.45 * random.normal(size=(artists, DIMENSION))
    )
    fame = random.normal(0.0, 1.1, artists)
    artist = np.sort(random.integers(0, artists, config.tracks))
    later = random.integers(0, artists, size - config.tracks)
    artist = np.concatenate([artist, later])
    known = np.concatenate(
        [np.zeros(config.tracks, np.int64), np.repeat(np.arange(1, HORIZON + 1), daily)]
    )
    latent = unit(artist_centre[artist] + 0.35 * random.normal(size=(size, DIMENSION)))
    quality = 0.8 * fame[artist] + random.normal(0.0, 0.9, size)
    genre = artist_genre[artist]
    release_age = np.where(known > 0, 0, (random.gamma(1.3, 2_500.0, size)).astype(np.int64) + 1)
    released = [
        config.first_day + timedelta(days=int(k - a))
        for k, a in zip(known, release_age, strict=True)
    ]
    duration = np.clip(random.normal(215_000, 50_000, size), 75_000, 600_000).astype(np.int64)
    columns: dict[str, object] = {
        "track_id": [f"track-{i:06d}" for i in range(size)],
        **_text(artist, genre, artist_shade[artist], random),
        "artist_id": [f"artist-{a:05d}" for a in artist],
        "released_on": pa.array(released, pa.date32()),
        "duration_ms": duration,
        "explicit": random.random(size) < np.where(genre == 2, 0.35, 0.05),
        **_audio(genre, latent, random),
    }
    schema = TRACKS.schema.remove(TRACKS.schema.get_field_index("known_at"))
    table = pa.table({name: columns[name] for name in schema.names}, schema=schema)
    album = np.arange(size) // _TRACKS_PER_ALBUM
    return HiddenCatalogue(
        latent,
        artist,
        album,
        genre,
        quality,
        known,
        duration,
        _neighbours(latent, quality, 20),
        table,
    )
