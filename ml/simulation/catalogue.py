"""The simulated catalogue: what can be played, and its hidden shape.

Belongs here: artists, albums, tracks, their latent vectors and base popularity. Does not belong here:
listeners.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.simulation import metadata, names
from ml.simulation.config import WorldConfig
from ml.tables import TRACKS

DIMENSION = 16
_TRACKS_PER_ARTIST = 12
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


@dataclass(frozen=True, slots=True)
class _Hidden:
    artist: NDArray[np.int64]
    known: NDArray[np.int64]
    genre: NDArray[np.int64]
    shade: NDArray[np.int64]
    latent: NDArray[np.float32]
    quality: NDArray[np.float64]


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows of length 1."""
    scaled: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(
        np.float32
    )
    return scaled


def _largest(values: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Columns of the `count` largest values of each row (at least 400 columns), the largest first.

    Columns are dealt out to some 400 groups. Only the `count` groups with the largest maxima can hold
    them, so that a partition sees a few hundred columns: 2.5 times as fast as on whole rows.
    """
    rows, size = values.shape
    width = max(1, size // 400)
    groups = -(-size // width)
    padded = np.full((rows, width * groups), -np.inf, dtype=np.float32)
    padded[:, :size] = values
    best = padded.reshape(rows, width, groups).max(axis=1)
    group = np.argpartition(best, groups - count, axis=1)[:, groups - count :]
    column = group[:, None, :] + groups * np.arange(width)[None, :, None]
    column = column.reshape(rows, width * count)
    value = np.take_along_axis(padded, column, axis=1)
    some = np.argpartition(value, width * count - count, axis=1)[:, width * count - count :]
    column, value = (np.take_along_axis(each, some, axis=1) for each in (column, value))
    order = np.lexsort((column, -value), axis=1)
    return np.take_along_axis(column, order, axis=1)


def _neighbours(
    latent: NDArray[np.float32], quality: NDArray[np.float64], count: int
) -> NDArray[np.int32]:
    """The `count` tracks that flow best after each: close, and not too unknown."""
    size = len(latent)
    found = np.empty((size, count), dtype=np.int32)
    for start in range(0, size, 1_000):
        near = latent[start : start + 1_000] @ latent.T + 0.06 * quality.astype(np.float32)
        near[np.arange(len(near)), np.arange(start, start + len(near))] = -np.inf
        found[start : start + 1_000] = _largest(near, count)
    return found


def _hidden(config: WorldConfig, random: np.random.Generator) -> _Hidden:
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
    fame = random.normal(0.0, 1.35, artists)
    artist = np.sort(random.integers(0, artists, config.tracks))
    later = random.integers(0, artists, size - config.tracks)
    artist = np.concatenate([artist, later])
    known = np.concatenate(
        [np.zeros(config.tracks, np.int64), np.repeat(np.arange(1, HORIZON + 1), daily)]
    )
    latent = unit(artist_centre[artist] + 0.35 * random.normal(size=(size, DIMENSION)))
    quality = 0.8 * fame[artist] + random.normal(0.0, 0.7, size)
    return _Hidden(artist, known, artist_genre[artist], artist_shade[artist], latent, quality)


def create_catalogue(config: WorldConfig) -> HiddenCatalogue:
    """The catalogue of a world, later releases of the coming 400 days included."""
    random = np.random.default_rng([config.seed, 1])
    hidden = _hidden(config, random)
    artist, known, size = hidden.artist, hidden.known, len(hidden.artist)
    release_age = np.where(known > 0, 0, (random.gamma(1.3, 2_500.0, size)).astype(np.int64) + 1)
    released = np.datetime64(config.first_day, "D") + (known - release_age)
    duration = np.clip(random.normal(215_000, 50_000, size), 75_000, 600_000).astype(np.int64)
    columns: dict[str, object] = {
        "track_id": names.numbered("track-", 6, size),
        **metadata.descriptions(artist, hidden.genre, hidden.shade, random),
        "artist_id": names.numbered("artist-", 5, int(artist.max()) + 1).take(pa.array(artist)),
        "released_on": pa.array(released, pa.date32()),
        "duration_ms": duration,
        "explicit": random.random(size) < np.where(hidden.genre == 2, 0.35, 0.05),
        **metadata.audio_features(hidden.genre, hidden.latent, random),
    }
    schema = TRACKS.schema.remove(TRACKS.schema.get_field_index("known_at"))
    return HiddenCatalogue(
        hidden.latent,
        artist,
        np.arange(size) // metadata.TRACKS_PER_ALBUM,
        hidden.genre,
        hidden.quality,
        known,
        duration,
        _neighbours(hidden.latent, hidden.quality, 20),
        pa.table({name: columns[name] for name in schema.names}, schema=schema),
    )
