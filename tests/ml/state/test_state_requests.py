"""Requests become arrays without losing anybody."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from ml.state.requests import requests_from_table
from ml.tables import REQUESTS


def table(rows):
    return pa.Table.from_pylist(rows, schema=REQUESTS.schema)


AT = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)


def request(name, user, surface="now_playing", session=None):
    return {
        "request_id": name,
        "user_id": user,
        "surface": surface,
        "at": AT,
        "session_track_ids": session,
    }


def test_unknown_users_become_minus_one_and_unknown_session_tracks_are_left_out(make_state):
    rows = [request("r0", "u1", session=["t2", "nope", "t0"]), request("r1", "stranger")]
    requests = requests_from_table(table(rows), "now_playing", make_state())
    assert requests.user.tolist() == [1, -1]
    assert requests.session_indptr.tolist() == [0, 2, 2]
    assert requests.session_track.tolist() == [2, 0]
    assert requests.at.tolist() == [int(AT.timestamp())] * 2


def test_only_the_asked_surface_is_taken(make_state):
    rows = [request("r0", "u0", surface="home"), request("r1", "u0")]
    requests = requests_from_table(table(rows), "home", make_state())
    assert requests.request_ids.to_pylist() == ["r0"]


def test_select_keeps_each_session_with_its_request(make_state):
    rows = [
        request("r0", "u0", session=["t0"]),
        request("r1", None),
        request("r2", "u1", session=["t4", "t5"]),
    ]
    chosen = requests_from_table(table(rows), "now_playing", make_state()).select([2, 0])
    assert chosen.request_ids.to_pylist() == ["r2", "r0"]
    assert chosen.session_track.tolist() == [4, 5, 0]
    assert chosen.session_indptr.tolist() == [0, 2, 3]


def test_a_state_never_looks_back(make_state):
    state = make_state()
    with pytest.raises(ValueError, match="cannot answer for the earlier"):
        state.on(state.valid_on - timedelta(days=1))
