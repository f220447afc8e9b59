"""What the public can read about a simulated track: names, genres, tags, audio features.

Belongs here: metadata, with the gaps of real metadata. Does not belong here: latent vectors
(ml.simulation.catalogue).
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.simulation import names

TRACKS_PER_ALBUM = 8


def descriptions(
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
    # One track in forty is another recording of the artist's track before it.
    again = (random.random(size) < 0.025) & (number > 0)
    again[1:] &= artist[1:] == artist[:-1]
    where = np.flatnonzero(again)
    title = title.astype(f"<U{title.itemsize // 4 + 16}")
    title[where] = names.joined(title[where - 1], names.pick(names.SUFFIXES, where))
    album = names.joined(
        names.pick(names.FIRST, number // TRACKS_PER_ALBUM * 13 + 5),
        names.pick(names.SECOND, number // TRACKS_PER_ALBUM * 3 + 2),
    )
    shades = np.array([tags for _, tags, _ in names.GENRES])
    lost = random.random(size) < 0.02
    return {
        "title": pa.array(title, pa.string()),
        "artist_name": pa.array(artist_name, pa.string()),
        "album": pa.array(album, pa.string(), mask=random.random(size) < 0.03),
        "genres": _lists(np.array([name for name, _, _ in names.GENRES])[genre], lost),
        "tags": _lists(shades[genre, shade], lost),
    }


def _lists(word: NDArray[np.str_], lost: NDArray[np.bool_]) -> pa.Array:
    """Lists of one word, null where it is lost."""
    ends = pa.array(np.arange(len(word) + 1, dtype=np.int32))
    return pa.ListArray.from_arrays(ends, pa.array(word, pa.string()), mask=pa.array(lost))


def audio_features(
    genre: NDArray[np.int64], latent: NDArray[np.float32], random: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """The seven audio columns: centred by genre, swayed by the latent vector, noisy."""
    size = len(genre)
    centre = random.random((len(names.GENRES), 6))
    sway = 1.0 / (1.0 + np.exp(-3.0 * latent[:, :6]))
    level = np.clip(0.5 * centre[genre] + 0.35 * sway + 0.15 * random.random((size, 6)), 0.0, 1.0)
    columns = ("energy", "valence", "danceability", "acousticness", "instrumentalness")
    audio = {name: level[:, i].round(4) for i, name in enumerate(columns)}
    audio["tempo"] = (70 + 100 * level[:, 5]).round(2)
    audio["loudness"] = (-22 + 18 * level[:, 0]).round(2)
    return audio
