"""Generators that add nothing on validation are switched off; needed or useful ones stay."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ml.ranking.examples import Examples
from ml.ranking.features import FeatureMatrix, source_features
from ml.ranking.judging import pool_of, source_names
from ml.ranking.model import RankerParameters
from ml.ranking.selection import idle, own_features, select, without

NAN = np.float32("nan")
REQUESTS, CANDIDATES = 60, 6
SMALL = RankerParameters(threads=1, rounds=4, early_stopping=5, min_child_weight=0.0)


def examples(*, useful_memory: bool) -> Examples:
    """Requests of six candidates. `popularity` ranks all at random; `ials` repeats its first two in the
    same order; `repeat_memory` proposes one more track, the sixth, which was played or never is."""
    rng = np.random.default_rng(3)
    request = np.repeat(np.arange(REQUESTS, dtype=np.int32), CANDIDATES)
    rank = np.concatenate([rng.permutation(CANDIDATES - 1) + 1.0 for _ in range(REQUESTS)])
    popularity = np.insert(rank, np.arange(1, REQUESTS + 1) * (CANDIDATES - 1), np.nan)
    last = np.tile(np.arange(CANDIDATES) == CANDIDATES - 1, REQUESTS)
    played = last if useful_memory else popularity == 1.0
    columns = {
        "request": request,
        "track": np.tile(np.arange(CANDIDATES, dtype=np.int32), REQUESTS),
        "grade": np.where(played, 2, 0).astype(np.int8),
    }
    ranks = {
        "repeat_memory": np.where(last, 1.0, np.nan),
        "ials": np.where(popularity <= 2, popularity, np.nan),
        "popularity": popularity,
    }
    for name, values in ranks.items():
        columns[f"source_{name}_score"] = (1.0 / values).astype(np.float32)
        columns[f"source_{name}_rank"] = values.astype(np.float32)
    rows = pa.table(columns)
    pool = pool_of(Examples(rows, rows, rows))
    for name, values in source_features(pool).columns(len(pool.track)).items():
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.array(values, pa.float32()))
    asked = np.arange(REQUESTS, dtype=np.int32)
    return Examples(rows, pa.table({"request": asked, "listener": asked}), truth_of(rows))


def truth_of(rows: pa.Table) -> pa.Table:
    """What was played, all of it among the candidates."""
    hit = rows.filter(pc.greater(rows["grade"], 0)).select(["request", "track", "grade"])
    return hit.append_column("is_candidate", pa.array(np.ones(len(hit), dtype=np.bool_)))


class Gaining:
    """A ranker that owes its gain to one feature."""

    def __init__(self, feature: str) -> None:
        self._feature = feature

    def gain(self) -> dict[str, float]:
        return {self._feature: 1.0}


def test_a_generator_that_finds_nothing_and_gains_nothing_is_idle() -> None:
    found = idle(examples(useful_memory=False), Gaining("source_popularity_rank"), "home")
    assert found == ("repeat_memory", "ials")


def test_a_generator_that_alone_finds_what_was_played_is_not_idle() -> None:
    found = idle(examples(useful_memory=True), Gaining("source_popularity_rank"), "home")
    assert "repeat_memory" not in found


def test_a_generator_whose_score_the_ranker_uses_is_not_idle() -> None:
    found = idle(examples(useful_memory=False), Gaining("source_ials_score"), "home")
    assert "ials" not in found


def test_of_two_generators_that_find_the_same_one_stays() -> None:
    """`repeat_memory` and a copy of it alone find what was played; the ranker owes both nothing."""
    whole = examples(useful_memory=True)
    rows = whole.rows
    for kind in ("score", "rank"):
        rows = rows.append_column(f"source_content_{kind}", rows[f"source_repeat_memory_{kind}"])
    twice = Examples(rows, whole.requests, whole.truth)
    found = idle(twice, Gaining("source_popularity_rank"), "home")
    assert len({"repeat_memory", "content"} & set(found)) == 1


def test_a_needed_generator_is_never_idle() -> None:
    nothing = examples(useful_memory=False)
    needed = frozenset({"ials"})
    assert "ials" not in idle(nothing, Gaining("source_popularity_rank"), "home", needed)


def test_without_a_generator_its_columns_and_its_own_candidates_are_gone() -> None:
    left = without(examples(useful_memory=True), ("repeat_memory",), "home")
    assert source_names(left) == ["ials", "popularity"]
    assert len(left.rows) == REQUESTS * (CANDIDATES - 1)
    assert not any(name.startswith("source_repeat_memory") for name in left.feature_names)


def test_without_the_one_that_found_it_a_played_track_is_no_candidate() -> None:
    left = without(examples(useful_memory=True), ("repeat_memory",), "home")
    assert not any(left.truth["is_candidate"].to_pylist())
    assert all(
        without(examples(useful_memory=True), ("ials",), "home").truth["is_candidate"].to_pylist()
    )


def test_how_many_agree_is_counted_anew_without_a_generator() -> None:
    whole = examples(useful_memory=False)
    left = without(whole, ("ials",), "home")
    assert set(left.rows["source_count"].to_pylist()) == {1.0}
    assert max(whole.rows["source_count"].to_pylist()) == 2.0


def test_nothing_switched_off_leaves_the_examples_as_they_are() -> None:
    whole = examples(useful_memory=True)
    assert without(whole, (), "home") is whole


def test_generators_that_learn_relations_own_the_features_made_of_them() -> None:
    assert own_features("transitions") == (
        "source_transitions_",
        "session_transitions_",
        "latest_transitions_",
    )
    assert "latest_ease_" in own_features("ease")
    assert own_features("ials") == ("source_ials_",)


@pytest.mark.parametrize(("needed", "off"), [((), ("ials",)), (("ials",), ())])
def test_the_smaller_ranker_serves_unless_a_generator_is_needed(
    needed: tuple[str, ...], off: tuple[str, ...]
) -> None:
    whole = examples(useful_memory=True)
    kept = frozenset({"popularity", *needed})
    ranker, found = select(whole, whole, "home", SMALL, needed=kept)
    assert found == off
    names = without(whole, off, "home").feature_names
    matrix = np.zeros((1, len(names)), dtype=np.float32)
    assert len(ranker.predict(FeatureMatrix(names, matrix))) == 1
