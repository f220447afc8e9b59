"""Features of words and genres: does the track's text fit what the listener plays.

Belongs here: cosines as columns. Does not belong here: the profiles themselves (ml.state.taste).
"""

import numpy as np
from numpy.typing import NDArray

from ml.state.requests import Requests
from ml.state.state import State
from ml.state.taste import TasteProfiles, genre_cosines, row_dots

Named = dict[str, NDArray[np.float32]]


def candidate_dots(
    left: NDArray[np.float32],
    requests: Requests,
    vectors: NDArray[np.float32],
    request: NDArray[np.int32],
    track: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Dot product of left[request] (requests, d) and vectors[track], rows (m,); `request` and `track` are
    those of the pool: a single request's candidates are fetched once for all that ask."""
    if len(requests) != 1 or not len(track):
        return row_dots(left, vectors, request, track)
    near = requests.once(None, "candidates' vectors", lambda: (track, vectors[track]))
    if near[0] is not track:
        return row_dots(left, vectors, request, track)
    # As row_dots sums for one request.
    dots: NDArray[np.float32] = np.einsum(
        "ij,ij->i", np.broadcast_to(left[0], near[1].shape), near[1]
    )
    return dots


def content_features(
    profiles: TasteProfiles,
    requests: Requests,
    state: State,
    vectors: NDArray[np.float32] | None,
    request: NDArray[np.int32],
    track: NDArray[np.int32],
) -> Named:
    """Cosine of the candidate with the listener's taste in text and in genres: rows (m,) each."""
    columns: Named = {
        "text_genre_cosine": genre_cosines(profiles.genres, state, request, track),
    }
    if profiles.text is not None and vectors is not None:
        columns["text_cosine"] = candidate_dots(profiles.text, requests, vectors, request, track)
    return columns
