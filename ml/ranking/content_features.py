"""Features of words and genres: does the track's text fit what the listener plays.

Belongs here: cosines as columns. Does not belong here: the profiles themselves (ml.state.taste).
"""

import numpy as np
from numpy.typing import NDArray

from ml.state.state import State
from ml.state.taste import TasteProfiles, genre_cosines, row_dots

Named = dict[str, NDArray[np.float32]]


def content_features(
    profiles: TasteProfiles,
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
        columns["text_cosine"] = row_dots(profiles.text, vectors, request, track)
    return columns
