"""Tracks like a track or like words, by the bundle's text vectors.

Belongs here: the query vector and its neighbours. Does not belong here: encoding (ml.embeddings.encoder).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ml.candidates.generator import Candidates
from ml.candidates.merge import merge
from ml.candidates.top import top_of_dense
from ml.embeddings.encoder import Encoder, load_encoder
from ml.serving.service.errors import Refusal
from ml.serving.service.loading import Served
from ml.serving.wishes import Wishes, unwanted
from ml.state.state import State


def bundle_vectors(served: Served) -> NDArray[np.float32]:
    """Text vectors (tracks, d), L2-normalised, in the state's order.

    Raises:
        Refusal: 409, the bundle was made from a catalogue without words.
    """
    vectors = served.recommender.surfaces["home"].sources.vectors
    if vectors is None or not vectors.shape[1]:
        raise Refusal(
            409,
            "no_vectors",
            f"expected text vectors in model {served.version}, found none: its catalogue has no words",
        )
    return vectors


def track_vector(served: Served, track_id: str) -> NDArray[np.float32]:
    """The vector of a track.

    Raises:
        Refusal: 404 unknown track, 409 a track (or model) without words.
    """
    vectors = bundle_vectors(served)
    track = served.recommender.state.track_index.get(track_id)
    if track is None:
        raise Refusal(404, "unknown_track", "expected a track of the catalogue, found none")
    if not vectors[track].any():
        raise Refusal(409, "no_vector", "expected words on this track, found none")
    found: NDArray[np.float32] = vectors[track]
    return found


# Its libraries take 3.3 s to import: the first text waits for them, no start does.
@lru_cache(maxsize=1)
def _loaded(folder: str) -> Encoder:
    return load_encoder(folder)


def text_vector(served: Served, text: str) -> NDArray[np.float32]:
    """The vector of words.

    Raises:
        Refusal: 409, the bundle carries no encoder or no vectors, or no word of the text is known.
    """
    vectors = bundle_vectors(served)
    if served.encoder is None:
        raise Refusal(
            409,
            "no_encoder",
            f"expected a text encoder in model {served.version}, found none; ask by track_id",
        )
    found: NDArray[np.float32] = _loaded(str(served.encoder)).encode([text])[0]
    if len(found) != vectors.shape[1] or not found.any():
        raise Refusal(409, "no_vector", "expected words that the encoder knows, found none")
    return found


def neighbours(
    state: State,
    vectors: NDArray[np.float32],
    query: NDArray[np.float32],
    k: int,
    wishes: Wishes,
    itself: int = -1,
) -> Candidates:
    """The `k` tracks of highest positive cosine that the wishes allow, without the asked one; ties by
    the smaller index."""
    spare = k + 1 + len(wishes.tracks)
    filtered = bool(wishes.artists) or not wishes.explicit
    best = top_of_dense((vectors @ query)[None, :], state.catalogue.size if filtered else spare)
    pool = merge({"content": best}, {"content": len(best.track)})
    kept = ~unwanted(pool, state, wishes) & (pool.track != itself)
    allowed = np.isin(best.track, pool.track[kept])
    track, score = best.track[allowed][:k], best.score[allowed][:k]
    rank = np.arange(1, len(track) + 1, dtype=np.int32)
    return Candidates(np.zeros(len(track), np.int32), track, score, rank)
