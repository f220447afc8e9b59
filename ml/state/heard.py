"""Which tracks a request's listener had heard: before the day, and up to the request.

Belongs here: the one look-up that serving, evaluation and gate share. Does not belong here: what follows
from it (ml.serving.wishes, ml.evaluation.repeats).
"""

import numpy as np
from numpy.typing import NDArray

from ml.state.requests import Requests
from ml.state.state import State


def among(
    asked: tuple[NDArray[np.int32], NDArray[np.int32]],
    indptr: NDArray[np.int64],
    track: NDArray[np.int32],
    size: int,
) -> NDArray[np.bool_]:
    """Which of the asked (request, track) are one of track[indptr[request]:indptr[request + 1]]; these are below
    `size`."""
    from ml.kernels.look_up import among as mark_found
    from ml.kernels.scratch import scratch

    found = np.zeros(len(asked[0]), dtype=np.bool_)
    if len(track):
        with scratch(size) as held:
            mark_found(*asked, indptr, track, held.mark, found)
    return found


def skipped_today(
    requests: Requests, state: State, request: NDArray[np.int32], track: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Which (request, track), int32 (m) each, the listener skipped since midnight, bool (m): not offered again that
    day, in serving and in what a ranker learns from and is judged on."""
    day = requests.day
    if day is None or not len(day.track) or not day.skipped.any():
        return np.zeros(len(track), dtype=np.bool_)
    before = np.concatenate([[0], np.cumsum(day.skipped)])
    skipped = day.track[day.skipped]
    return among((request, track), before[day.indptr], skipped, state.catalogue.size)


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
    found |= among(asked, requests.session_indptr, requests.session_track, size)
    if requests.day is not None:
        found |= among(asked, requests.day.indptr, requests.day.track, size)
    return found
