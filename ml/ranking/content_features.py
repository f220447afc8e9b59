"""Features of words and genres: does the track's text fit what the listener plays.

Belongs here: cosines as columns. Does not belong here: tastes (ml.state.taste).
"""

import numpy as np
from numpy.typing import NDArray

from ml.ranking.family import Family, Out
from ml.state.requests import Requests
from ml.state.state import State
from ml.state.taste import genre_cosines, genre_profiles, taste_rows

_NAMES = ("text_genre_cosine", "text_cosine")


def content_features(
    requests: Requests,
    state: State,
    vectors: NDArray[np.float32] | None,
    request: NDArray[np.int32],
    track: NDArray[np.int32],
) -> Family:
    """Cosine of the candidate with the listener's taste in genres and, where there is text, in text: rows (m,)
    each."""
    from ml.kernels.cosines import text_cosines

    def fill(out: Out) -> None:
        out[0] = genre_cosines(genre_profiles(requests, state), state, request, track)
        if vectors is not None:
            taste = taste_rows(requests, state, "streams_h22").arrays()
            text_cosines(taste, vectors, request, track, out[1])

    return Family(_NAMES[:1] if vectors is None else _NAMES, fill)
