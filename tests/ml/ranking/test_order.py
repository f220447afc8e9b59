"""Which order serves a surface: the ranker's only where validation shows it above every generator."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ml.ranking.examples import Examples
from ml.ranking.order import Choice, choose, leader_score, read_choice

NAN = float("nan")


class Liking:
    """A ranker that scores the three candidates of every request in a fixed order."""

    def __init__(self, *scores: float) -> None:
        self._scores = scores

    def predict(self, features: object) -> np.ndarray:
        return np.array(self._scores * 2, dtype=np.float32)


def examples(played: int) -> Examples:
    """Two requests with candidates 0, 1, 2; the played one is a hit at home. `alike` ranks them in
    order, `popularity` in reverse."""
    rows = pa.table(
        {
            "request": np.repeat(np.arange(2, dtype=np.int32), 3),
            "track": np.tile(np.arange(3, dtype=np.int32), 2),
            "grade": np.tile((np.arange(3) == played) * 2, 2).astype(np.int8),
            "source_alike_score": np.tile(np.float32([3, 2, 1]), 2),
            "source_alike_rank": np.tile(np.float32([1, 2, 3]), 2),
            "source_popularity_score": np.tile(np.float32([1, 2, 3]), 2),
            "source_popularity_rank": np.tile(np.float32([3, 2, 1]), 2),
        }
    )
    requests = pa.table({"listener": np.arange(2, dtype=np.int32), "request": [0, 1]})
    truth = pa.table(
        {
            "request": np.arange(2, dtype=np.int32),
            "track": np.full(2, played, dtype=np.int32),
            "grade": np.full(2, 2, dtype=np.int8),
        }
    )
    return Examples(rows, requests, truth)


def test_a_ranker_above_every_generator_serves() -> None:
    choice = choose(Liking(0, 1, 0), examples(played=1), "home", seed=1)
    assert choice.by_ranker
    assert choice.ndcg["segue"] == 1.0
    assert choice.ndcg["alike"] == pytest.approx(1 / np.log2(3))


def test_a_ranker_below_a_generator_leaves_the_surface_to_it() -> None:
    choice = choose(Liking(0, 1, 2), examples(played=0), "home", seed=1)
    assert (choice.serves, choice.leader) == ("alike", "alike")


def test_a_ranker_that_only_equals_a_generator_does_not_serve() -> None:
    assert choose(Liking(2, 1, 0), examples(played=0), "home", seed=1).serves == "alike"


def test_equal_generators_leave_the_lead_to_popularity() -> None:
    assert choose(None, examples(played=1), "home", seed=1).leader == "popularity"


def test_without_any_hit_popularity_leads() -> None:
    nothing = examples(played=0)
    empty = Examples(nothing.rows, nothing.requests, nothing.truth.slice(0, 0))
    assert choose(None, empty, "home", seed=1).serves == "popularity"


def test_a_surface_that_nobody_asks_for_is_left_to_popularity() -> None:
    keys = {"request": pa.int32(), "track": pa.int32(), "grade": pa.int8()}
    nothing = pa.schema(list(keys.items())).empty_table()
    nobody = pa.table({"listener": pa.array([], pa.int32()), "request": pa.array([], pa.int32())})
    assert choose(None, Examples(nothing, nobody, nothing), "home", seed=1).serves == "popularity"


def test_the_leaders_tracks_stand_above_all_others() -> None:
    rank = np.array([[2, NAN, 1, NAN], [NAN, 1, NAN, 2]], dtype=np.float32)
    score = leader_score(rank, ("alike", "popularity"), "alike")
    assert np.argsort(-score).tolist() == [2, 0, 1, 3]


def test_a_leader_that_is_no_source_leaves_fusion() -> None:
    rank = np.array([[1, 2], [1, NAN]], dtype=np.float32)
    score = leader_score(rank, ("a", "b"), "gone")
    np.testing.assert_allclose(score, [2 / 61, 1 / 62], rtol=1e-6)


def test_a_choice_is_read_back(tmp_path: Path) -> None:
    choice = Choice("segue", "alike", {"segue": 0.5, "alike": 0.25})
    choice.write(tmp_path / "choice.json")
    assert read_choice(tmp_path / "choice.json") == choice
