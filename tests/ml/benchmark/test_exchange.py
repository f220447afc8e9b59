"""Files between Segue and another Python: what is written, and what is said when the other side fails."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.benchmark import exchange
from ml.benchmark.cases import BenchmarkError, Case
from ml.benchmark.exchange import ask, check_python, write_exchange
from ml.benchmark.interactions import read_interactions

# Stands in for RecTools' side of the exchange: a process that answers what it was asked.
ANSWERING = """
import json, sys
from pathlib import Path
import pyarrow as pa, pyarrow.parquet as pq
folder = Path(sys.argv[1])
asked = pq.read_table(folder / "asked.parquet")
what = pq.read_table(folder / "events.parquet")["what"][0].as_py()
lists = {"request_id": asked["request_id"][:1], "track_id": [what], "rank": pa.array([1], pa.int32())}
pq.write_table(pa.table(lists), folder / "lists.parquet")
seed = json.loads((folder / "job.json").read_text())["seed"]
(folder / "costs.json").write_text(json.dumps({"fit_seconds": seed}))
"""


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """u plays b, then a; v plays c; both are asked for."""
    history = tmp_path / "history"
    history.mkdir()
    at = [datetime(2025, 1, day, tzinfo=UTC) for day in (2, 1, 1)]
    listens = {"user_id": ["u", "u", "v"], "track_id": ["a", "b", "c"], "played_at": at}
    pq.write_table(pa.table(listens), history / "listens.parquet")
    empty = pa.array([[], []], pa.list_(pa.string()))
    asked = {"request_id": ["q", "r"], "user_id": ["u", "v"], "session_track_ids": empty}
    pq.write_table(pa.table(asked), tmp_path / "requests.parquet")
    return Case("tiny", "by hand", tmp_path, "canonical", "home", True)


@pytest.fixture
def sessions(tmp_path: Path) -> Case:
    """Session 1 plays p, q; asked for after q, p."""
    history = tmp_path / "history"
    history.mkdir()
    played = {"session_id": [1, 1], "position": [0, 1], "item_id": ["q", "p"]}
    pq.write_table(pa.table(played), history / "sessions.parquet")
    listed = pa.array([["item:q"], ["item:q", "item:p"]], pa.list_(pa.string()))
    asked = {"request_id": ["9-1", "9-2"], "user_id": pa.array([None, None], pa.string())}
    table = pa.table({**asked, "session_track_ids": listed})
    pq.write_table(table, tmp_path / "requests.parquet")
    return Case("tiny", "by hand", tmp_path, "sessions", "now_playing", False)


def written(case: Case, name: str) -> list[dict[str, Any]]:
    """Rows of a file of the exchange for all requests of a case."""
    folder = case.folder / "exchange"
    write_exchange(case, read_interactions(case), folder, seed=7)
    return pq.read_table(folder / f"{name}.parquet").to_pylist()


def child(monkeypatch: pytest.MonkeyPatch, folder: Path, source: str) -> None:
    """Put another script in the place of RecTools'."""
    script = folder / "child.py"
    script.write_text(source)
    monkeypatch.setattr(exchange, "CHILD", script)


def test_each_listeners_plays_stand_in_their_order(case: Case) -> None:
    events = [(row["who"], row["what"]) for row in written(case, "events")]
    assert events == [("u", "b"), ("u", "a"), ("v", "c")]
    assert written(case, "asked") == [
        {"request_id": "q", "who": "u"},
        {"request_id": "r", "who": "v"},
    ]
    assert written(case, "prefixes") == []


def test_a_session_that_is_asked_for_is_a_listener_with_its_prefix(sessions: Case) -> None:
    assert [row["what"] for row in written(sessions, "events")] == ["item:q", "item:p"]
    prefixes = [
        (row["who"], row["what"], row["at"].second) for row in written(sessions, "prefixes")
    ]
    assert prefixes == [
        ("9-1", "item:q", 0),
        ("9-2", "item:q", 0),
        ("9-2", "item:p", 1),
    ]
    assert [row["who"] for row in written(sessions, "asked")] == ["9-1", "9-2"]


def test_plays_at_one_time_are_not_in_the_order_of_their_names(tmp_path: Path) -> None:
    history = tmp_path / "history"
    history.mkdir()
    names = [f"t{i:02d}" for i in range(30)]
    at = [datetime(2025, 1, 1, tzinfo=UTC)] * 30
    listens = {"user_id": ["u"] * 30, "track_id": names, "played_at": at}
    pq.write_table(pa.table(listens), history / "listens.parquet")
    empty = pa.array([[]], pa.list_(pa.string()))
    asked = {"request_id": ["q"], "user_id": ["u"], "session_track_ids": empty}
    pq.write_table(pa.table(asked), tmp_path / "requests.parquet")
    events = written(Case("t", "", tmp_path, "canonical", "home", True), "events")
    assert [row["what"] for row in events] != names
    assert sorted(str(row["what"]) for row in events) == names


def test_a_sample_of_requests_is_asked_and_no_other(case: Case) -> None:
    folder = case.folder / "exchange"
    data = read_interactions(case).sampled(1, seed=0)
    write_exchange(case, data, folder, seed=7)
    asked = pq.read_table(folder / "asked.parquet")["request_id"].to_pylist()
    assert asked == data.request_ids.to_pylist()
    assert len(pq.read_table(folder / "events.parquet")) == 3


def test_the_job_goes_out_and_lists_and_costs_come_back(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(monkeypatch, tmp_path, ANSWERING)
    written(case, "asked")
    lists, costs = ask(Path(sys.executable), tmp_path / "exchange", {"seed": 11})
    assert lists.to_pylist() == [{"request_id": "q", "track_id": "b", "rank": 1}]
    assert costs == {"fit_seconds": 11}


def test_a_failing_child_is_told_by_its_last_words_and_its_job(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(monkeypatch, tmp_path, "raise MemoryError('too many tracks')")
    written(case, "asked")
    with pytest.raises(BenchmarkError, match="too many tracks") as raised:
        ask(Path(sys.executable), tmp_path / "exchange", {"model": "sasrec"})
    assert json.dumps({"model": "sasrec"}) in str(raised.value)


def test_a_child_that_is_killed_is_told_by_its_signal(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(monkeypatch, tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    written(case, "asked")
    with pytest.raises(BenchmarkError, match="ended by signal 9"):
        ask(Path(sys.executable), tmp_path / "exchange", {})


def test_costs_of_an_earlier_job_are_not_taken_for_this_one(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(monkeypatch, tmp_path, "pass")
    written(case, "asked")
    (tmp_path / "exchange" / "costs.json").write_text("{}")
    with pytest.raises(BenchmarkError, match="wrote nothing"):
        ask(Path(sys.executable), tmp_path / "exchange", {})


def test_a_python_that_is_not_there_names_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"pip install -r ml/benchmark/extras\.txt"):
        check_python(tmp_path / "python")


def test_a_python_without_rectools_is_refused_with_what_it_lacks() -> None:
    """Segue's own Python: RecTools cannot be installed beside Segue's libraries."""
    with pytest.raises(BenchmarkError, match="pip install") as raised:
        check_python(Path(sys.executable))
    assert "No module named" in str(raised.value)
