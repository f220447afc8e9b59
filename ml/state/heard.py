"""Which tracks a request's listener had heard: before the day, and up to the request.

Belongs here: the one look-up that serving, evaluation and gate share. Does not belong here: what follows
from it (ml.serving.wishes, ml.evaluation.repeats).
"""

import numpy as np
from numpy.typing import NDArray

from ml.state.requests import Requests
from ml.state.state import State


def pairs_in(
    asked: tuple[NDArray[np.int32], NDArray[np.int32]],
    request: NDArray[np.int64],
    track: NDArray[np.int32],
    size: int,
) -> NDArray[np.bool_]:
    """Which of the asked (request, track) are one of the given; tracks are below `size`."""
    width = np.int64(size)
    known = asked[1] < size
    return known & np.isin(asked[0] * width + asked[1], request * width + track)


def heard_before(
    requests: Requests, state: State, request: NDArray[np.int32], track: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Which (request, track), int32 (m) each, the listener's history holds, bool (m).

    A track that the state's catalogue does not know was never heard.
    """
    known = np.where(track < state.catalogue.size, track, -1).astype(np.int32)
    return state.user_tracks.find(requests.user[request], known) >= 0


def heard(
    requests: Requests, state: State, request: NDArray[np.int32], track: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Which (request, track), int32 (m) each, the listener's history, the day so far or the running
    session holds, bool (m)."""
    found = heard_before(requests, state, request, track)
    asked, size = (request, track), state.catalogue.size
    owner = np.repeat(np.arange(len(requests)), requests.session_length())
    found |= pairs_in(asked, owner, requests.session_track, size)
    if requests.day is not None:
        found |= pairs_in(asked, requests.day.owner(), requests.day.track, size)
    return found
