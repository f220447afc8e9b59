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

from ml.candidates.forgetting import chosen_exponent
from ml.ranking.examples import Examples, read_examples
from ml.ranking.honesty import (
    CANDIDATES,
    changed,
    counting,
    honesty,
    miscounted,
    without_future,
)
from ml.ranking.run import TrainingRun, begin_run
from ml.ranking.steps import CUTS, run_draw, write_examples, write_sources
from ml.ranking.training import fit_input, fit_sources
from ml.state.columns import Columns
from ml.state.plays import Plays, count_plays
from ml.state.read import read_state
from ml.state.read_log import read_log
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
    assert read.country.tolist() == made.country.tolist()
    assert set(made.country.tolist()) == {-1, 0, 1, 2}


def test_scores_have_one_scale_in_all_cuts_of_a_run(home: Home) -> None:
    """Of a log that ends later another exponent of forgetting is chosen."""
    connection, run = home
    state = read_state(connection, AS_OF)
    log = read_log(connection, state)
    settled = chosen_exponent(log.before(PLAN.cut("train")), run.plan.seed)
    assert chosen_exponent(log, run.plan.seed) != settled
    for cut in CUTS:
        memory = np.load(run.sources(cut, "home") / "repeat_memory" / "exponent.npy")
        assert memory.tolist() == [settled]


def test_an_honest_run_has_nothing_to_hide(home: Home) -> None:
    found = honesty(*home)
    assert found.changed == {}
    assert found.filtered is None
    assert found.counting == {}


def test_a_run_that_draws_listeners_is_honest_and_asks_for_them_alone(
    home: Home, tmp_path: Path
) -> None:
    connection, whole = home
    sampling = replace(PLAN.sampling, drawn_listens=len(make_world().listens.ms) // 2)
    run = begin_run(tmp_path, replace(PLAN, sampling=sampling))
    write_sources(connection, run)
    write_examples(connection, run)
    drawn = set(run_draw(connection, run).user_ids.to_pylist())
    final = read_state(connection, AS_OF)
    for surface in SURFACES:
        asked = read_examples(run.examples(surface, "test")).requests["listener"]
        listeners = set(final.user_ids.take(asked.combine_chunks()).to_pylist())
        assert listeners
        assert listeners <= drawn
        everybody = len(read_examples(whole.examples(surface, "test")).requests)
        assert len(asked) < everybody
    assert honesty(connection, run).changed == {}


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


def plays_at(connection: duckdb.DuckDBPyConnection, cut: date) -> tuple[Plays, Plays]:
    """Plays of tracks and of listeners, of the whole world."""
    whole = read_state(connection, AS_OF)
    tracks = count_plays(connection, "track_id", whole.catalogue.track_ids, cut=cut, as_of=AS_OF)
    return tracks, count_plays(connection, "user_id", whole.user_ids, cut=cut, as_of=AS_OF)


def test_a_state_that_counts_past_its_day_is_found(home: Home) -> None:
    connection, _ = home
    state = read_state(connection, CUT)
    assert miscounted(*plays_at(connection, CUT), state) == {}
    later = read_state(connection, AS_OF).tracks.values[:, : state.catalogue.size]
    fault = replace(state, tracks=Columns(state.tracks.names, later))
    found = miscounted(*plays_at(connection, CUT), fault)
    assert list(found) == ["plays of a track", "streams of a track"]
    assert found["plays of a track"] > 0.5


def test_features_of_a_run_that_tell_rare_tracks_are_named(home: Home) -> None:
    given = Life(make_world()).examples("home", "test")
    past = plays_at(home[0], CUT)[0].before
    plays = pa.array(past[given.rows["track"].to_numpy()], pa.float32())
    planted = replace(given, rows=given.rows.append_column("planted", plays))
    found = counting(planted, past, least=int(np.median(plays)))
    assert found["planted"] == 1.0
    assert "text_cosine" in planted.feature_names
    assert "text_cosine" not in found


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
