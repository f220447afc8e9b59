"""Features of words and genres: does the track's text fit what the listener plays.

Belongs here: cosines as columns. Does not belong here: the profiles themselves (ml.state.taste).
"""

import numpy as np
from numpy.typing import NDArray

from ml.ranking.family import Family
from ml.state.state import State
from ml.state.taste import TasteProfiles, genre_cosines


def content_features(
    profiles: TasteProfiles,
    state: State,
    vectors: NDArray[np.float32] | None,
    request: NDArray[np.int32],
    track: NDArray[np.int32],
) -> Family:
    """Cosine of the candidate with the listener's taste in genres and in text: rows (m,) each."""
    from ml.kernels.cosines import dots

    def fill(out: NDArray[np.float32]) -> None:
        out[0] = genre_cosines(profiles.genres, state, request, track)
        if len(out) > 1:
            dots(profiles.text, vectors, request, track, out[1])

    has_text = profiles.text is not None and vectors is not None
    return Family(("text_genre_cosine", "text_cosine")[: 1 + has_text], fill)
