"""A run whose examples know what they may not know is found out."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from ml.ranking.examples import Examples, read_examples
from ml.ranking.honesty import (
    CANDIDATES,
    changed,
    counting,
    counts,
    honesty,
    miscounted,
    without_future,
)
from ml.ranking.run import TrainingRun, begin_run
from ml.ranking.steps import write_examples, write_sources
from ml.ranking.training import fit_input, fit_sources
from ml.state.columns import Columns
from ml.state.read import read_log, read_state
from tests.ml.leaks.knowledge import state_of
from tests.ml.leaks.trained import PLAN, SURFACES, Life, uncut
from tests.ml.leaks.warehouse import write_warehouse
from tests.ml.leaks.world import AS_OF, make_world

CUT = PLAN.cut("test")
Home = tuple[duckdb.DuckDBPyConnection, TrainingRun]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The world's warehouse and a run with fitted sources and examples."""
    folder = tmp_path_factory.mktemp("honest")
    days = [day for split in ("train", "validation", "test") for day in PLAN.days(split)]
    write_warehouse(make_world(), folder / "warehouse.duckdb", [*days, AS_OF])
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        run = begin_run(folder / "training", PLAN)
        write_sources(connection, run)
        write_examples(connection, run)
        yield connection, run


def test_the_warehouse_holds_the_states_of_the_world(home: Home) -> None:
    read, made = read_state(home[0], CUT), state_of(make_world(), CUT)
    assert read.user_ids.equals(made.user_ids)
    assert read.catalogue.track_ids.equals(made.catalogue.track_ids)
    np.testing.assert_allclose(read.user_tracks.columns.values, made.user_tracks.columns.values)


def test_an_honest_run_has_nothing_to_hide(home: Home) -> None:
    found = honesty(*home)
    assert found.changed == {}
    assert found.filtered is None
    assert found.counting == {}


def test_sources_that_saw_the_label_window_are_found(home: Home, tmp_path: Path) -> None:
    """The fault planted: the log is not cut before the generators of the test cut are fitted."""
    connection, run = home
    copy = TrainingRun(tmp_path / "run", run.plan)
    shutil.copytree(run.folder, copy.folder)
    log = read_log(connection, read_state(connection, AS_OF))
    data = fit_input(read_state(connection, CUT), log, None, run.plan.seed)
    for surface in SURFACES:
        fit_sources(surface, uncut(data, log)).write(copy.sources("test", surface))
    found = honesty(connection, copy)
    assert found.changed["now_playing transitions as it was fitted"] == 1.0


@pytest.mark.parametrize("surface", SURFACES)
def test_examples_that_were_made_with_a_later_state_are_found(
    surface: str, home: Home, tmp_path: Path
) -> None:
    """The fault planted: counts that run through the label window, in a feature of the code's own."""
    connection, run = home
    copy = TrainingRun(tmp_path / "run", run.plan)
    shutil.copytree(run.folder, copy.folder)
    given = read_examples(run.examples(surface, "test"))
    later = read_state(connection, AS_OF).tracks["listeners"]
    track = given.rows["track"].to_numpy()
    at = given.rows.column_names.index("track_listeners")
    told = pa.array(np.log1p(later[track]), pa.float32())
    rows = given.rows.set_column(at, "track_listeners", told)
    replace(given, rows=rows).write(copy.examples(surface, "test"))
    found = honesty(connection, copy)
    assert list(found.changed) == [f"{surface} track_listeners"]
    assert 0.2 < found.changed[f"{surface} track_listeners"] <= 1.0


def named(*names: str, rows: int = 2, track: int = 0) -> Examples:
    """Candidates of one request with features that are zero."""
    columns = {
        "request": np.zeros(rows, np.int32),
        "track": np.arange(track, track + rows, dtype=np.int32),
        "grade": np.zeros(rows, np.int8),
    }
    zeros = {name: np.zeros(rows, np.float32) for name in names}
    return Examples(pa.table(columns | zeros), pa.table({"request": [0]}), pa.table({}))


def test_other_candidates_and_features_without_a_counterpart_are_changes() -> None:
    assert changed(named("a", "b"), named("b", "a")) == {}
    assert changed(named("a"), named("a", "b")) == {"b": 1.0}
    assert changed(named("a"), named("a", track=1)) == {CANDIDATES: 0.5}


def test_a_state_that_counts_past_its_day_is_found() -> None:
    life = Life(make_world())
    state = life.state(CUT)
    assert miscounted(life.log, state) == {}
    later = life.state(AS_OF).tracks.values[:, : state.catalogue.size]
    found = miscounted(life.log, replace(state, tracks=Columns(state.tracks.names, later)))
    assert list(found) == ["plays of a track", "streams of a track"]
    assert found["plays of a track"] > 0.5


def test_features_of_a_run_that_tell_rare_tracks_are_named() -> None:
    life = Life(make_world())
    given = life.examples("home", "test")
    past, _, _ = counts(life.log, CUT)
    plays = pa.array(past[given.rows["track"].to_numpy()], pa.float32())
    planted = replace(given, rows=given.rows.append_column("planted", plays))
    found = counting(planted, past, least=int(np.median(plays)))
    assert found["planted"] == 1.0
    assert "text_cosine" in planted.feature_names
    assert "text_cosine" not in found


def test_counts_split_at_the_cut_and_know_who_was_there_early() -> None:
    life = Life(make_world())
    before, after, early = counts(life.log, CUT)
    assert before.sum() == len(life.log.before(CUT))
    assert (before + after).sum() == len(life.log)
    new = life.state(AS_OF).catalogue.first_known_day
    assert not early[new == new.max()].any()
    assert early.mean() > 0.5


def last_day(connection: duckdb.DuckDBPyConnection) -> date:
    [(found,)] = connection.execute("select max(known_on) from intermediate.listens").fetchall()
    return found


def test_without_the_future_every_relation_ends_before_the_day(home: Home) -> None:
    connection, _ = home
    until = last_day(connection)
    with without_future(connection, CUT) as past:
        assert last_day(past) < CUT <= until
        [(valid,)] = past.execute("select max(valid_from) from features.tracks").fetchall()
        assert valid == CUT
        assert len(read_log(past, read_state(past, AS_OF))) < len(make_world().listens.ms)
    assert last_day(connection) == until


def test_the_future_comes_back_after_an_error(home: Home) -> None:
    connection, _ = home
    until = last_day(connection)
    with pytest.raises(duckdb.CatalogException), without_future(connection, CUT) as past:
        past.execute("select * from features.nothing")
    assert last_day(connection) == until
