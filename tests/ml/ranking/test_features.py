"""Features say what their names say, row by row."""

import numpy as np
import pyarrow as pa
import pytest

from ml.ranking.content_features import content_features
from ml.ranking.listener_features import artist_features, listener_features, pair_features
from ml.ranking.session_features import session_features
from ml.ranking.track_features import smoothed_rate, track_features
from ml.state.requests import Requests

ROWS = np.int32


@pytest.fixture
def make_requests():
    def build(user, sessions, surface="now_playing", at=9 * 3_600):
        lengths = [len(session) for session in sessions]
        names = [f"r{i}" for i in range(len(user))]
        return Requests(
            surface=surface,
            request_ids=pa.array(names, pa.string()),
            user_ids=pa.array([f"u{u}" for u in user], pa.string()),
            user=np.array(user, dtype=np.int32),
            at=np.full(len(user), at, dtype=np.int64),
            session_indptr=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            session_track=np.array([t for s in sessions for t in s], dtype=np.int32),
        )

    return build


def ints(*values):
    return np.array(values, dtype=np.int32)


def test_a_pair_never_heard_has_zero_counts_and_no_age(make_state, stream):
    state = make_state(plays={(0, 2): stream(3, last_played_age=1.5, skips=1)})
    columns = pair_features(state, ints(0, -1), ints(0, 0, 1), ints(2, 3, 2)).columns(3)
    assert np.expm1(columns["listener_track_streams"]).round(4).tolist() == [3.0, 0.0, 0.0]
    assert columns["listener_track_last_played_age"][0] == 1.5
    assert np.isnan(columns["listener_track_last_played_age"][1:]).all()
    assert columns["listener_track_skip_rate"][0] == pytest.approx(1 / 3)
    assert columns["listener_track_share"][0] == pytest.approx(1.0)


def test_an_artist_counts_all_its_tracks(make_state, stream):
    state = make_state(plays={(0, 2): stream(3), (0, 3): stream(2), (0, 0): stream(5)})
    columns = artist_features(state, ints(0), ints(0, 0), ints(3, 4)).columns(2)
    assert np.expm1(columns["listener_artist_streams"]).round(4).tolist() == [5.0, 0.0]
    assert columns["listener_artist_share"][0] == pytest.approx(0.5)


def test_an_unknown_listener_has_no_habits(make_state, stream):
    state = make_state(plays={(0, 0): stream(1)})
    columns = listener_features(state, ints(-1), ints(0)).columns(1)
    assert all(np.isnan(value[0]) for value in columns.values())


def test_a_rate_with_no_plays_is_the_prior():
    zero = np.zeros(1, dtype=np.float32)
    assert smoothed_rate(zero, zero, 0.3)[0] == pytest.approx(0.3)
    ten, five = np.float32([10.0]), np.float32([5.0])
    assert smoothed_rate(five, ten, 0.2)[0] == pytest.approx((5 + 5 * 0.2) / 15)


def test_a_track_ages_from_its_release_and_from_when_it_was_known(make_state):
    state = make_state()
    state.catalogue.released_day[1] = np.int32(-(2**31))
    columns = track_features(state, ints(0, 1)).columns(2)
    day = 20_522  # 2026-03-10
    assert columns["track_released_age"][0] == day - 20_000
    assert np.isnan(columns["track_released_age"][1])
    assert columns["track_known_age"].tolist() == [day - 20_100] * 2


def test_taste_in_genres_is_the_cosine_of_what_was_played(make_state, stream, make_requests):
    state = make_state(plays={(0, 0): stream(1), (0, 2): stream(1)})
    requests = make_requests([0, -1], [[], []])
    columns = content_features(requests, state, None, ints(0, 0, 1), ints(4, 5, 4)).columns(3)
    assert columns["text_genre_cosine"].round(6).tolist() == [1.0, 0.0, 0.0]
    assert "text_cosine" not in columns


def test_text_cosine_compares_with_the_mean_of_what_was_played(make_state, stream, make_requests):
    vectors = np.eye(6, 4, dtype=np.float32)
    state = make_state(plays={(0, 0): stream(1), (0, 1): stream(1)})
    requests = make_requests([0], [[]])
    columns = content_features(requests, state, vectors, ints(0, 0), ints(0, 2)).columns(2)
    assert columns["text_cosine"].tolist() == pytest.approx([2**-0.5, 0.0])


def test_a_session_knows_how_long_ago_it_played_track_artist_and_album(make_state, make_requests):
    requests = make_requests([0], [[0, 1, 4]])
    columns = session_features(requests, make_state(), None, ints(0, 0, 0), ints(0, 5, 2)).columns(
        3
    )
    assert columns["session_steps_since_track"][0] == 2
    assert np.isnan(columns["session_steps_since_track"][1:]).all()
    assert columns["session_steps_since_artist"][:2].tolist() == [1, 0]
    assert np.isnan(columns["session_steps_since_artist"][2])
    assert columns["session_artist_share"].tolist() == pytest.approx([2 / 3, 1 / 3, 0.0])
    assert columns["session_hour"].tolist() == [9.0] * 3
    assert columns["session_tempo_step"].tolist() == [4.0, 1.0, 2.0]


def test_an_empty_session_has_no_last_track(make_state, make_requests):
    requests = make_requests([0], [[]])
    vectors = np.eye(6, 4, dtype=np.float32)
    columns = session_features(requests, make_state(), vectors, ints(0), ints(3)).columns(1)
    assert np.isnan(columns["session_tempo_step"][0])
    assert np.isnan(columns["session_last_cosine"][0])
    assert columns["session_mean_cosine"][0] == 0.0


def test_1970_began_on_a_thursday(make_state, make_requests):
    saturday = 2 * 86_400
    columns = session_features(
        make_requests([0], [[]], at=saturday), make_state(), None, ints(0), ints(0)
    ).columns(1)
    assert columns["session_is_weekend"][0] == 1.0
