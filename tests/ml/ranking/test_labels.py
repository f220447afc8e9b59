"""What a request of the past is, and what counts as its good answer."""

import numpy as np
import pyarrow as pa
import pytest

from ml.ranking.labels import home_requests, now_playing_requests
from ml.state.log import Log, day_number

USERS = pa.array(["u0", "u1", "u2"], pa.string())


@pytest.fixture
def make_log(make_state):
    start = day_number(make_state().valid_on)

    def build(rows):
        """Rows: (user, track, session, position, day offset, ms_played)."""
        user, track, session, position, offset, ms = (np.array(c) for c in zip(*rows, strict=True))
        order = np.lexsort((position, session))
        ms = ms[order]
        day = (start + offset)[order]
        return Log(
            user=user[order].astype(np.int32),
            track=track[order].astype(np.int32),
            session=session[order].astype(np.int32),
            position=position[order].astype(np.int32),
            played_at=day.astype(np.int64) * 86_400 + 3_600 + position[order],
            known_day=day.astype(np.int32),
            ms_played=ms.astype(np.int32),
            is_stream=(ms < 0) | (ms >= 30_000),
            surface=np.zeros(len(ms), dtype=np.int8),
            users=3,
            tracks=8,
        )

    return build


def graded(labelled):
    return list(
        zip(
            labelled.request.tolist(), labelled.track.tolist(), labelled.grade.tolist(), strict=True
        )
    )


def test_home_grades_follow_how_long_and_how_often(make_log, make_state):
    log = make_log(
        [
            (0, 0, 0, 0, 0, 5_000),  # skipped at once: no grade
            (0, 1, 0, 1, 0, 15_000),  # 10 to 30 s
            (0, 2, 0, 2, 0, 60_000),  # a stream
            (0, 3, 0, 3, 0, 190_000),  # 95 % of 200 s
            (0, 4, 0, 4, 0, 60_000),  # streamed twice
            (0, 4, 0, 5, 0, 60_000),
        ]
    )
    labelled = home_requests(log, USERS, make_state(), maximum=10, seed=1)
    assert graded(labelled) == [(0, 1, 1), (0, 2, 2), (0, 3, 3), (0, 4, 4)]


def test_home_asks_once_a_listener_at_midnight_and_only_for_the_day(make_log, make_state):
    state = make_state()
    log = make_log([(0, 0, 0, 0, -1, -1), (1, 1, 1, 0, 0, -1), (0, 2, 2, 0, 1, -1)])
    labelled = home_requests(log, USERS, state, maximum=10, seed=1)
    assert labelled.requests.request_ids.to_pylist() == ["home-2026-03-10-u1"]
    assert labelled.requests.at.tolist() == [day_number(state.valid_on) * 86_400]


def test_a_listener_the_state_does_not_know_asks_as_unknown(make_log, make_state):
    log = make_log([(2, 0, 0, 0, 0, -1)])
    labelled = home_requests(log, USERS, make_state(users=2), maximum=10, seed=1)
    assert labelled.requests.user.tolist() == [-1]
    assert labelled.listener.tolist() == [2]


def test_a_session_asks_at_every_stream_after_its_first(make_log, make_state):
    log = make_log(
        [(0, 0, 0, 0, 0, -1), (0, 1, 0, 1, 0, 5_000), (0, 2, 0, 2, 0, -1), (0, 3, 0, 3, 0, -1)]
    )
    labelled = now_playing_requests(log, USERS, make_state(), maximum=10, seed=1)
    sessions = np.split(labelled.requests.session_track, labelled.requests.session_indptr[1:-1])
    assert [part.tolist() for part in sessions] == [[0], [0, 2]]
    assert graded(labelled) == [(0, 2, 3), (0, 3, 1), (1, 3, 3)]


def test_the_next_stream_of_another_session_is_no_answer(make_log, make_state):
    log = make_log(
        [(0, 0, 0, 0, 0, -1), (0, 1, 0, 1, 0, -1), (1, 4, 1, 0, 0, -1), (1, 5, 1, 1, 0, -1)]
    )
    labelled = now_playing_requests(log, USERS, make_state(), maximum=10, seed=1)
    assert graded(labelled) == [(0, 1, 3), (1, 5, 3)]


def test_sampling_is_the_same_for_the_same_seed(make_log, make_state):
    rows = [(0, i % 6, 0, i, 0, -1) for i in range(20)]
    one = now_playing_requests(make_log(rows), USERS, make_state(), maximum=5, seed=3)
    two = now_playing_requests(make_log(rows), USERS, make_state(), maximum=5, seed=3)
    assert one.requests.request_ids.to_pylist() == two.requests.request_ids.to_pylist()
    assert len(one.requests) == 5


def test_a_list_that_lasts_three_days_is_judged_by_what_is_played_on_them(make_log, make_state):
    log = make_log(
        [
            (0, 0, 0, 0, -1, 60_000),
            (0, 1, 1, 0, 0, 60_000),
            (0, 2, 2, 0, 2, 60_000),
            (1, 3, 3, 0, 2, 60_000),
            (1, 4, 4, 0, 3, 60_000),
        ]
    )
    state = make_state()
    labelled = home_requests(log, USERS, state, maximum=10, seed=1, horizon=3)
    assert graded(labelled) == [(0, 1, 2), (0, 2, 2), (1, 3, 2)]
    assert graded(home_requests(log, USERS, state, maximum=10, seed=1)) == [(0, 1, 2)]
