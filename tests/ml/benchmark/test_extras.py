"""RecTools' baselines on tiny cases, where an environment with RecTools is installed (.extras)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ml.benchmark import extras
from ml.benchmark.cases import Case
from ml.benchmark.exchange import INSTALL
from ml.benchmark.extras import EXTRAS, extra_lists, left_out

PYTHON = Path(__file__).resolve().parents[3] / ".extras" / "bin" / "python"
needs_rectools = pytest.mark.skipif(
    not PYTHON.is_file(), reason=f"RecTools runs in an environment of its own: {INSTALL}"
)
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
TRACKS = 12


def ring(folder: Path, *, plays: int) -> Case:
    """Forty listeners play a ring of twelve tracks, one a day; the next of the ring is wanted.

    `nobody` is asked for, too, and never played anything.
    """
    history = folder / "history"
    history.mkdir(parents=True)
    rows = [(f"u{u}", f"t{(u + p) % TRACKS:02d}", p) for u in range(40) for p in range(plays)]
    user, track, day = zip(*rows, strict=True)
    at = [FIRST + timedelta(days=one) for one in day]
    listens = pa.table({"user_id": user, "track_id": track, "played_at": at})
    pq.write_table(listens, history / "listens.parquet")
    asked = [*(f"u{u}" for u in range(40)), "nobody"]
    empty = pa.array([[]] * len(asked), pa.list_(pa.string()))
    requests = {"request_id": asked, "user_id": asked, "session_track_ids": empty}
    pq.write_table(pa.table(requests), folder / "requests.parquet")
    wanted = [f"t{(u + plays) % TRACKS:02d}" for u in range(40)]
    truth = {"request_id": asked[:-1], "track_id": wanted, "listener": asked[:-1]}
    pq.write_table(pa.table(truth), folder / "truth.parquet")
    return Case("ring", "by hand", folder, "canonical", "home", True)


def sessions(folder: Path) -> Case:
    """Forty sessions walk a ring of twelve tracks; one that begins with t03, t04 is asked for."""
    history = folder / "history"
    history.mkdir(parents=True)
    rows = [(s, p, f"t{(s + p) % TRACKS:02d}") for s in range(40) for p in range(6)]
    session, position, item = zip(*rows, strict=True)
    table = pa.table({"session_id": session, "position": position, "item_id": item})
    pq.write_table(table, history / "sessions.parquet")
    listed = pa.array([["item:t03", "item:t04"]], pa.list_(pa.string()))
    asked = {"request_id": ["q"], "user_id": pa.array([None], pa.string())}
    pq.write_table(pa.table({**asked, "session_track_ids": listed}), folder / "requests.parquet")
    truth = {"request_id": ["q"], "track_id": ["item:t05"], "listener": ["q"]}
    pq.write_table(pa.table(truth), folder / "truth.parquet")
    return Case("walks", "by hand", folder, "sessions", "now_playing", False)


def few(monkeypatch: pytest.MonkeyPatch, name: str, *configurations: dict[str, float]) -> None:
    """Try only these configurations of one baseline."""
    chosen = extras._Extra(EXTRAS[name].model, configurations, EXTRAS[name].not_sessions)
    monkeypatch.setattr(extras, "EXTRAS", {name: chosen})


SHORT = {"factors": 16.0, "dropout": 0.0, "learning_rate": 0.02, "steps": 1.0}
LONG = {**SHORT, "steps": 60.0}
TREES = {"candidates": 8.0, "negatives": 3.0, "learning_rate": 0.2, "leaves": 4.0, "trees": 5.0}


def test_every_baseline_has_the_budget_of_the_others() -> None:
    assert {len(one.configurations) for one in EXTRAS.values()} == {4}


def test_what_does_not_fit_sessions_is_left_out_with_its_reason(tmp_path: Path) -> None:
    listeners = Case("l", "", tmp_path, "canonical", "home", True)
    walks = Case("s", "", tmp_path, "sessions", "now_playing", False)
    assert left_out(listeners) == {}
    assert "fitted" in left_out(walks)["two-stage (RecTools)"]
    assert "SASRec (RecTools)" not in left_out(walks)


@needs_rectools
def test_sasrec_learns_what_comes_next_and_is_chosen_by_the_earlier_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, "SASRec (RecTools)", SHORT, LONG)
    earlier, case = ring(tmp_path / "earlier", plays=7), ring(tmp_path / "case", plays=8)
    [found] = extra_lists(case, earlier, 3, python=PYTHON, seed=7)
    assert found.configuration == LONG
    first = found.lists.filter(pc.equal(found.lists["rank"], 1))
    answered = dict(
        zip(first["request_id"].to_pylist(), first["track_id"].to_pylist(), strict=True)
    )
    wanted = pq.read_table(case.truth).to_pylist()
    hits = [answered[row["request_id"]] == row["track_id"] for row in wanted]
    assert sum(hits) >= 36
    assert "nobody" in answered
    assert found.costs.megabytes > 50
    assert found.costs.tuning_seconds > found.costs.fit_seconds > 0


@needs_rectools
def test_the_two_stage_model_answers_alike_each_time_and_nothing_that_was_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, "two-stage (RecTools)", TREES)
    case = ring(tmp_path / "case", plays=8)
    [once], [again] = (list(extra_lists(case, case, 3, python=PYTHON, seed=7)) for _ in range(2))
    assert once.lists.equals(again.lists)
    heard = pq.read_table(case.history / "listens.parquet").to_pylist()
    heard_pairs = {(row["user_id"], row["track_id"]) for row in heard}
    answered = {(row["request_id"], row["track_id"]) for row in once.lists.to_pylist()}
    assert {request for request, _ in answered} == {*(f"u{u}" for u in range(40)), "nobody"}
    assert not answered & heard_pairs


@needs_rectools
def test_sasrec_answers_a_session_that_it_was_not_fitted_on_alike_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, "SASRec (RecTools)", LONG)
    case = sessions(tmp_path / "case")
    [once], [again] = (list(extra_lists(case, case, 3, python=PYTHON, seed=7)) for _ in range(2))
    assert once.lists.sort_by("rank")["track_id"][0].as_py() == "item:t05"
    assert once.lists.equals(again.lists)
