"""A candidate beside each of the session's last tracks, looked up in an item-item matrix."""

import numpy as np
import pyarrow as pa
from scipy import sparse

from ml.ranking.relation_features import relation_features
from ml.state.requests import Requests

# From track 0: 1 with .5, 2 with .2; from track 1: 2 with .9.
MATRIX = sparse.csr_matrix(
    np.array([[0, 0.5, 0.2, 0], [0, 0, 0.9, 0], [0, 0, 0, 0], [0, 0, 0, 0]], np.float32)
)


def looked_up(
    sessions: list[list[int]],
    request: list[int],
    track: list[int],
    matrix: sparse.csr_matrix = MATRIX,
) -> dict[str, list]:
    lengths = [len(one) for one in sessions]
    asked = Requests(
        "now_playing",
        pa.array([str(i) for i in range(len(sessions))], pa.string()),
        pa.nulls(len(sessions), pa.string()),
        np.full(len(sessions), -1, np.int32),
        np.zeros(len(sessions), np.int64),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.array([t for one in sessions for t in one], np.int32),
    )
    found = relation_features(
        asked, {"near": matrix}, np.array(request, np.int32), np.array(track, np.int32)
    ).columns(len(track))
    return {name: np.round(values.astype(np.float64), 6).tolist() for name, values in found.items()}


def test_the_latest_track_the_one_before_and_the_largest_value_are_told() -> None:
    found = looked_up([[0, 1]], [0, 0], [1, 2])
    assert found["session_near_last"] == [0.0, 0.9]
    assert found["session_near_before"] == [0.5, 0.2]
    assert found["session_near_max"] == [0.5, 0.9]
    assert found["session_near_count"] == [1.0, 2.0]


def test_requests_do_not_see_each_others_sessions() -> None:
    found = looked_up([[1], [], [0]], [0, 1, 2], [2, 2, 2])
    assert found["session_near_last"] == [0.9, 0.0, 0.2]


def test_a_track_more_than_five_steps_back_is_out_of_sight() -> None:
    found = looked_up([[0, 3, 3, 3, 3, 3]], [0], [1])
    assert found["session_near_max"] == [0.0]


def test_sessions_without_tracks_relate_to_nothing() -> None:
    assert looked_up([[]], [0], [1])["session_near_count"] == [0.0]


def test_every_value_is_that_of_the_matrix() -> None:
    matrix = sparse.csr_matrix(np.arange(36, dtype=np.float32).reshape(6, 6) % 5)
    rows = matrix.toarray()
    found = looked_up([[0, 3, 5, 1]], [0] * 6, [*range(6)], matrix)
    assert found["session_near_last"] == rows[1].tolist()
    assert found["session_near_before"] == rows[5].tolist()
    assert found["session_near_max"] == rows[[1, 5, 3, 0]].max(axis=0).tolist()
    assert found["session_near_count"] == (rows[[1, 5, 3, 0]] > 0).sum(axis=0).tolist()
