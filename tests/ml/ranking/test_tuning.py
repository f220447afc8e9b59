"""The search sees validation only, goes on where it was, and keeps what is shown to be better."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import optuna
import pyarrow as pa
import pytest

from ml.ranking.examples import Examples
from ml.ranking.model import RankerParameters
from ml.ranking.parameters import ParametersError, parameters_from
from ml.ranking.tuned import TunedError, read_tuned, write_found
from ml.ranking.tuning import (
    SPACE,
    Field,
    TuningError,
    best_of,
    crossed_ndcg,
    field_of,
    fingerprint,
    open_study,
    search,
)

LISTENERS, CANDIDATES = 24, 5
DAY = date(2025, 3, 3)
BASE = RankerParameters(threads=1, rounds=8, early_stopping=3, min_child_weight=1.0, max_bin=16)


def examples(listeners: int = LISTENERS, seed: int = 1) -> Examples:
    """A request a listener with five candidates; the one with the largest `track_signal` was played."""
    rng = np.random.default_rng(seed)
    signal = rng.random((listeners, CANDIDATES)).astype(np.float32)
    played = signal == signal.max(axis=1, keepdims=True)
    request = np.repeat(np.arange(listeners, dtype=np.int32), CANDIDATES)
    track = np.tile(np.arange(CANDIDATES, dtype=np.int32), listeners)
    grade = np.where(played.ravel(), 2, 0).astype(np.int8)
    rows = pa.table(
        {"request": request, "track": track, "grade": grade, "track_signal": signal.ravel()}
    )
    own = np.arange(listeners, dtype=np.int32)
    requests = pa.table({"request": own, "listener": own})
    truth = rows.filter(pa.array(grade > 0)).select(["request", "track", "grade"])
    return Examples(rows, requests, truth)


@pytest.fixture(scope="module")
def field() -> Field:
    return field_of("home", examples(seed=1), examples(seed=2), BASE)


def run(path: Path, field: Field, trials: int) -> list[dict[str, float]]:
    study = open_study(path, "home")
    search(study, field, BASE, go_on=lambda done: done < trials, told=lambda done, value: None)
    return [trial.params for trial in study.get_trials(states=[optuna.trial.TrialState.COMPLETE])]


def test_each_half_is_scored_by_a_ranker_stopped_on_the_other(field: Field) -> None:
    assert field.half.sum() == LISTENERS // 2
    first, second = (prepared.validation.num_row() for prepared in field.halves)
    assert (first, second) == (LISTENERS // 2 * CANDIDATES,) * 2
    assert np.isfinite(crossed_ndcg(field, BASE)).all()


def test_a_listener_stands_in_one_half_with_all_requests() -> None:
    double = examples(LISTENERS)
    listener = pa.array(np.repeat(np.arange(LISTENERS // 2, dtype=np.int32), 2))
    requests = double.requests.set_column(1, "listener", listener)
    halved = field_of("home", double, Examples(double.rows, requests, double.truth), BASE)
    assert (halved.half[::2] == halved.half[1::2]).all()


def test_the_first_trial_is_the_default(tmp_path: Path, field: Field) -> None:
    found = run(tmp_path / "study.db", field, 1)
    assert found == [{name: getattr(BASE, name) for name in SPACE}]


def test_a_search_that_was_interrupted_tries_what_it_would_have_tried(
    tmp_path: Path, field: Field
) -> None:
    whole = run(tmp_path / "whole.db", field, 4)
    run(tmp_path / "parts.db", field, 2)
    open_study(tmp_path / "parts.db", "home").ask()
    assert run(tmp_path / "parts.db", field, 4) == whole


def test_the_gain_is_that_of_the_best_over_the_default(tmp_path: Path, field: Field) -> None:
    run(tmp_path / "study.db", field, 3)
    found = best_of(open_study(tmp_path / "study.db", "home"), field, BASE)
    assert found.trials == 3
    assert found.gain.mean == pytest.approx(found.ndcg - found.base_ndcg)
    assert found.ndcg >= found.base_ndcg


def test_a_search_without_a_finished_trial_is_told_to_go_on(tmp_path: Path, field: Field) -> None:
    with pytest.raises(TuningError, match="for longer"):
        best_of(open_study(tmp_path / "study.db", "home"), field, BASE)


def test_one_listener_cannot_be_halved() -> None:
    with pytest.raises(TuningError, match="at least two listeners"):
        field_of("home", examples(), examples(listeners=1), BASE)


def test_other_examples_are_another_search(tmp_path: Path) -> None:
    examples(seed=1).write(tmp_path / "one")
    examples(seed=2).write(tmp_path / "two")
    one, two = (fingerprint({"train": tmp_path / name}) for name in ("one", "two"))
    assert one != two
    assert one == fingerprint({"train": tmp_path / "one"})


def test_what_was_found_is_used_for_its_surface_only(tmp_path: Path, field: Field) -> None:
    run(tmp_path / "study.db", field, 2)
    found = best_of(open_study(tmp_path / "study.db", "home"), field, BASE)
    write_found(tmp_path / "tuned.json", "home", found, DAY.isoformat())
    assert read_tuned(tmp_path / "tuned.json", DAY) == {"home": found.parameters}


def test_a_training_of_an_earlier_day_does_not_know_what_was_found_later(
    tmp_path: Path, field: Field
) -> None:
    run(tmp_path / "study.db", field, 1)
    found = best_of(open_study(tmp_path / "study.db", "home"), field, BASE)
    write_found(tmp_path / "tuned.json", "home", found, DAY.isoformat())
    assert read_tuned(tmp_path / "tuned.json", DAY - timedelta(days=1)) == {}


def test_a_home_without_a_search_trains_with_the_defaults(tmp_path: Path) -> None:
    assert read_tuned(tmp_path / "tuned.json", DAY) == {}


def test_a_broken_file_of_found_values_names_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "tuned.json").write_text("{")
    with pytest.raises(TunedError, match="segue tune --forget"):
        read_tuned(tmp_path / "tuned.json", DAY)


def test_hyper_parameters_of_another_version_are_refused() -> None:
    with pytest.raises(ParametersError, match=r"found others .*eta"):
        parameters_from({"eta": 0.1})
