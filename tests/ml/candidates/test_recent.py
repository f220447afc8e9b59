"""What a listener played last is Home's running session."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ml.candidates.generator import FitInput
from ml.candidates.recent import RecentWalk, latest_tracks, listener_order
from ml.state.log import Log
from ml.state.requests import DayListens
from ml.state.state import State
from tests.ml.asking import asked

Stream = Callable[..., dict[str, float]]


def test_the_latest_tracks_stand_last_and_strangers_have_none(
    make_state: Callable[..., State], stream: Stream
) -> None:
    plays = {
        (0, 1): stream(1.0, last_played_age=5.0),
        (0, 3): stream(1.0, last_played_age=0.5),
        (0, 4): stream(1.0, last_played_age=2.0),
        (1, 2): stream(1.0, last_played_age=9.0),
    }
    latest = latest_tracks(asked(1, -1, 0), make_state(2, 6, plays), 2)
    assert latest.session_indptr.tolist() == [0, 1, 1, 3]
    assert latest.session_track.tolist() == [2, 4, 3]


def test_pairs_of_a_listener_count_across_sessions_and_never_across_listeners(
    make_state: Callable[..., State], stream: Stream
) -> None:
    """Listener 0 plays 0, then 1 in another session; listener 1 plays 2 between the two."""
    state = make_state(2, 4, {(0, 0): stream(1.0, last_played_age=1.0)})
    log = Log(
        user=np.array([0, 1, 0], np.int32),
        track=np.array([0, 2, 1], np.int32),
        session=np.arange(3, dtype=np.int32),
        position=np.zeros(3, np.int32),
        played_at=np.arange(3, dtype=np.int64),
        known_day=np.zeros(3, np.int32),
        ms_played=np.full(3, 200_000, np.int32),
        is_stream=np.ones(3, np.bool_),
        surface=np.zeros(3, np.int8),
        users=2,
        tracks=4,
    )
    assert listener_order(log).track.tolist() == [0, 1, 2]
    fitted = RecentWalk.fit(FitInput(log, state.catalogue, state, None, state.valid_on, 0))
    found = fitted.generate(asked(0, -1), replace(state), 3)
    assert found.request.tolist() == [0, 0]
    assert set(found.track.tolist()) == {0, 1}


def test_one_listeners_latest_tracks_are_those_among_many(
    make_state: Callable[..., State], stream: Stream
) -> None:
    """Listener 0 streamed 1 and 5 today and skipped 2; listener 1 only skipped."""
    plays = {
        (user, track): stream(1.0, last_played_age=float(track % 3 + user))
        for user in range(2)
        for track in range(5)
    }
    state = make_state(2, 6, plays)
    today = DayListens(
        np.array([0, 3, 4], np.int64),
        np.array([1, 2, 5, 0], np.int32),
        np.array([False, True, False, True]),
    )
    together = replace(asked(0, 1), day=today)
    whole = latest_tracks(together, state, 3)
    assert whole.session_track[:3].tolist() == [0, 1, 5]
    for row in range(2):
        one = together.select(np.array([row]))
        alone = latest_tracks(one, state, 3)
        span = slice(*whole.session_indptr[row : row + 2])
        np.testing.assert_array_equal(alone.session_track, whole.session_track[span])
        assert alone.session_indptr.tolist() == [0, 3]
        # The order is kept with the requests and cut anew for whoever asks for fewer.
        fewer = latest_tracks(one, state, 2)
        np.testing.assert_array_equal(fewer.session_track, whole.session_track[span][1:])
