"""Baselines of the literature on tiny cases, each by what its formula must put first."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.benchmark.baselines import BASELINES, lists_of, tuned_lists
from ml.benchmark.cases import BenchmarkError, Case
from ml.benchmark.interactions import read_interactions

# Who played what on which day of January; `x` and `y` go together, `z` is played most.
PLAYS = [
    *[(user, track, 1) for user in ("a", "b", "c") for track in ("x", "y", "z")],
    *[(user, "z", 1) for user in ("d", "e", "f", "g")],
    ("d", "w", 2),
    ("e", "w", 30),
    ("asked", "x", 30),
]


def case_of(folder: Path, *, exclude_heard: bool = True, wanted: str = "y") -> Case:
    """`asked` played x and is asked for more; `nobody` never played anything."""
    history = folder / "history"
    history.mkdir(parents=True)
    user, track, day = zip(*PLAYS, strict=True)
    at = [datetime(2025, 1, one, tzinfo=UTC) for one in day]
    pq.write_table(
        pa.table({"user_id": user, "track_id": track, "played_at": at}), history / "listens.parquet"
    )
    requests = {"request_id": ["r", "s"], "user_id": ["asked", "nobody"]}
    empty = pa.array([[], []], pa.list_(pa.string()))
    pq.write_table(pa.table({**requests, "session_track_ids": empty}), folder / "requests.parquet")
    truth = {"request_id": ["r"], "track_id": [wanted], "listener": ["asked"]}
    pq.write_table(pa.table(truth), folder / "truth.parquet")
    return Case("tiny", "by hand", folder, "canonical", "home", exclude_heard)


def first(name: str, case: Case, request: str = "r") -> str:
    """The first track of a request by the first configuration of a baseline."""
    fit, configurations = BASELINES[name]
    data = read_interactions(case)
    found = lists_of(fit(data, {**configurations[0], "seed": 7}), data, case, 2).to_pylist()
    return next(row["track_id"] for row in found if row["request_id"] == request)


@pytest.mark.parametrize("name", ["item kNN", "EASE", "iALS"])
def test_what_the_same_listeners_play_comes_first(name: str, tmp_path: Path) -> None:
    assert first(name, case_of(tmp_path)) == "y"


def test_most_played_is_the_same_for_everybody(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    assert first("most played", case) == first("most played", case, "s") == "z"


def test_what_was_played_lately_counts_more_with_a_short_half_life(tmp_path: Path) -> None:
    assert first("most played lately", case_of(tmp_path)) == "w"


def test_own_plays_come_first_where_repeats_are_allowed(tmp_path: Path) -> None:
    assert first("own plays", case_of(tmp_path, exclude_heard=False)) == "x"


def test_heard_tracks_are_left_out_where_the_task_says_so(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    data = read_interactions(case)
    fit, configurations = BASELINES["own plays"]
    lists = lists_of(fit(data, configurations[0]), data, case, 3)
    answered = [row["track_id"] for row in lists.to_pylist() if row["request_id"] == "r"]
    assert "x" not in answered


def test_a_listener_without_history_gets_the_most_played(tmp_path: Path) -> None:
    assert first("EASE", case_of(tmp_path), "s") == "z"


def test_a_session_is_a_listener_of_its_own(tmp_path: Path) -> None:
    history = tmp_path / "history"
    history.mkdir()
    played = pa.table({"session_id": [1, 1, 2], "position": [0, 1, 0], "item_id": ["p", "q", "p"]})
    pq.write_table(played, history / "sessions.parquet")
    asked = {"request_id": ["r"], "user_id": pa.array([None], pa.string())}
    listed = pa.array([["item:p", "item:gone"]], pa.list_(pa.string()))
    pq.write_table(pa.table({**asked, "session_track_ids": listed}), tmp_path / "requests.parquet")
    data = read_interactions(Case("s", "", tmp_path, "sessions", "now_playing", False))
    np.testing.assert_array_equal(data.counts.toarray(), [[1, 1], [1, 0]])
    np.testing.assert_array_equal(data.profiles.toarray(), [[1, 0]])


def test_a_configuration_is_chosen_on_the_earlier_cut(tmp_path: Path) -> None:
    """With w wanted earlier the shortest half-life wins there; with z the longest."""
    case = case_of(tmp_path / "test")
    chosen = {}
    for wanted in ("w", "z"):
        earlier = case_of(tmp_path / wanted, wanted=wanted)
        lists = dict(tuned_lists(case, earlier, 2, seed=7))["most played lately"].to_pylist()
        chosen[wanted] = next(row["track_id"] for row in lists if row["request_id"] == "r")
    assert chosen == {"w": "w", "z": "z"}


def test_a_sample_of_requests_keeps_their_profiles(tmp_path: Path) -> None:
    data = read_interactions(case_of(tmp_path))
    one = data.sampled(1, seed=0)
    at = data.request_ids.to_pylist().index(one.request_ids[0].as_py())
    assert one.profiles.toarray().tolist() == data.profiles[[at]].toarray().tolist()
    assert one.known.tolist() == [data.known[at]]
    assert data.sampled(2, seed=0) is data


def test_a_history_of_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="found csv"):
        read_interactions(Case("x", "", tmp_path, "csv", "home", True))
