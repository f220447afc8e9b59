"""One request in words is the batch of one, and the listens of the day go with their request."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from ml.candidates.recent import latest_tracks
from ml.state.requests import Asked, one_request, requests_from_table
from ml.tables import REQUESTS

AT = datetime(2026, 3, 10, 8, 0, 59, 999_999, tzinfo=UTC)
LISTS = pa.list_(pa.string())


def table(*rows):
    """REQUESTS rows of Home with listens of the day: (user, session, today, skipped)."""
    schema = REQUESTS.schema.append(pa.field("today_track_ids", LISTS))
    schema = schema.append(pa.field("today_skipped", pa.list_(pa.bool_())))
    columns = ("user_id", "session_track_ids", "today_track_ids", "today_skipped")
    whole = [
        {"request_id": f"r{place}", "surface": "home", "at": AT}
        | dict(zip(columns, row, strict=True))
        for place, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(whole, schema=schema)


def same(left, right):
    """Whether two batches ask the same."""
    assert left.request_ids.equals(right.request_ids)
    assert left.user_ids.equals(right.user_ids)
    for name in ("user", "at", "session_indptr", "session_track"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
        assert getattr(left, name).dtype == getattr(right, name).dtype
    for name in ("indptr", "track", "skipped"):
        np.testing.assert_array_equal(getattr(left.day, name), getattr(right.day, name))


@pytest.mark.parametrize("user", ["u1", "nobody", None])
def test_one_request_equals_its_row_of_a_table(make_state, user):
    state = make_state()
    session, today, skipped = ["t1", "unknown", "t2"], ["unknown", "t3", "t4"], [True, False, True]
    asked = Asked("home", "r0", user, AT, session, (today, skipped))
    batch = requests_from_table(table((user, session, today, skipped)), "home", state)
    same(one_request(asked, state.user_index, state.track_index), batch)


def test_a_table_without_the_day_brings_none(make_state):
    plain = table(("u1", [], [], [])).drop_columns(["today_track_ids", "today_skipped"])
    assert requests_from_table(plain, "home", make_state()).day is None


def test_chosen_requests_keep_their_own_listens(make_state):
    rows = (("u0", [], ["t1"], [True]), ("u1", [], [], []), ("u1", [], ["t2", "t3"], [False, True]))
    whole = requests_from_table(table(*rows), "home", make_state())
    chosen = whole.select(np.array([2, 0]))
    assert chosen.day.indptr.tolist() == [0, 2, 3]
    assert chosen.day.track.tolist() == [2, 3, 1]
    assert chosen.day.skipped.tolist() == [False, True, True]


def test_todays_streams_are_the_latest_tracks_and_its_skips_are_not(make_state, stream):
    state = make_state(
        plays={
            (0, 1): stream(1, last_played_age=1.0),
            (0, 2): stream(1, last_played_age=2.0),
        }
    )
    rows = (("u0", [], ["t3", "t4", "t2"], [False, True, False]), ("u1", [], ["t5"], [False]))
    asked = requests_from_table(table(*rows), "home", state)
    latest = latest_tracks(asked, state, 5)
    assert latest.session_indptr.tolist() == [0, 3, 4]
    assert latest.session_track.tolist() == [1, 3, 2, 5]


def test_what_is_derived_once_is_kept_with_its_state_alone(make_state):
    state, other = make_state(), make_state()
    asked = requests_from_table(table(("u1", [], [], [])), "home", state)
    made = []
    for given in (state, state, other):
        asked.once(given, "name", lambda: made.append(1))
    assert len(made) == 2
    assert state.once("name", lambda: 7) == state.once("name", lambda: 8) == 7
    index = state.track_index
    later = state.on(state.valid_on.replace(day=11))
    assert later.once("name", lambda: 9) == 9
    assert later.track_index is index
