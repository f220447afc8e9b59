"""Which order serves a surface: the ranker's only where validation shows it above every generator."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ml.ranking.examples import Examples
from ml.ranking.order import (
    Choice,
    choose,
    leader_score,
    read_choice,
    serving_score,
    stored_score,
    strangers,
)
from ml.state.requests import DayListens, Requests
from ml.state.state import State

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
    requests = pa.table(
        {
            "listener": np.arange(2, dtype=np.int32),
            "request": [0, 1],
            "is_known": [True, True],
        }
    )
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


def of_one_listener(found: Examples) -> Examples:
    """The same requests, all by one listener."""
    place = found.requests.column_names.index("listener")
    alone = pa.array(np.zeros(len(found.requests), np.int32))
    return Examples(found.rows, found.requests.set_column(place, "listener", alone), found.truth)


def test_of_one_listener_the_requests_are_drawn() -> None:
    """The ranker is above every generator in each of the two requests."""
    choice = choose(Liking(0, 1, 0), of_one_listener(examples(played=1)), "home", seed=1)
    assert choice.by_ranker
    assert choose(None, of_one_listener(examples(played=0)), "home", seed=1).leader == "alike"


def test_a_single_request_shows_nothing() -> None:
    whole = of_one_listener(examples(played=0))
    one = Examples(whole.rows.slice(0, 3), whole.requests.slice(0, 1), whole.truth.slice(0, 1))
    choice = choose(None, one, "home", seed=1)
    assert choice.ndcg["alike"] > choice.ndcg["popularity"]
    assert choice.leader == "popularity"


def test_a_generator_that_is_not_shown_to_be_above_popularity_does_not_lead() -> None:
    """Ahead for one listener of two, behind for the other a little less: the mean alone is better."""
    ahead, behind = examples(played=0), examples(played=1)
    rows = pa.concat_tables([ahead.rows.slice(0, 3), behind.rows.slice(3, 3)]).combine_chunks()
    rank = np.float32([1, 2, 3, 2, 3, 1])
    rows = rows.set_column(
        rows.column_names.index("source_alike_rank"), "source_alike_rank", pa.array(rank)
    )
    truth = pa.concat_tables([ahead.truth.slice(0, 1), behind.truth.slice(1, 1)])
    mixed = Examples(rows, ahead.requests, truth.combine_chunks())
    choice = choose(None, mixed, "home", seed=1)
    assert choice.ndcg["alike"] > choice.ndcg["popularity"]
    assert choice.leader == "popularity"


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


STRANGERS = 40


class Trusting:
    """A ranker that puts track 1 first for everybody."""

    def predict(self, features: object) -> np.ndarray:
        return np.tile(np.float32([0, 1, 0]), 3 * STRANGERS)


def with_strangers(*, wanted: int) -> Examples:
    """80 known listeners who play track 1 and 40 unknown ones who play `wanted`; popularity ranks
    track 2, 1, 0."""
    size = 3 * STRANGERS
    known = np.arange(size) < 2 * STRANGERS
    played = np.where(known, 1, wanted)
    track = np.tile(np.arange(3, dtype=np.int32), size)
    own = np.arange(size, dtype=np.int32)
    rows = pa.table(
        {
            "request": np.repeat(own, 3),
            "track": track,
            "grade": np.where(track == np.repeat(played, 3), 2, 0).astype(np.int8),
            "source_popularity_score": np.tile(np.float32([1, 2, 3]), size),
            "source_popularity_rank": np.tile(np.float32([3, 2, 1]), size),
        }
    )
    requests = pa.table({"request": own, "listener": own, "is_known": known})
    truth = pa.table(
        {"request": own, "track": played.astype(np.int32), "grade": np.full(size, 2, np.int8)}
    )
    return Examples(rows, requests, truth)


def test_strangers_are_answered_by_popularity_where_the_ranker_is_not_shown_to_be_better() -> None:
    choice = choose(Trusting(), with_strangers(wanted=2), "home", seed=1)
    assert (choice.serves, choice.strangers) == ("segue", "popularity")


def test_strangers_are_answered_by_friends_where_validation_shows_them_best() -> None:
    """Friends put first what strangers play; the ranker and popularity do not."""
    examples = with_strangers(wanted=0)
    rows = examples.rows
    rank = np.tile(np.float32([1, 2, 3]), 3 * STRANGERS)
    rows = rows.append_column("source_friends_score", pa.array(1 / rank))
    rows = rows.append_column("source_friends_rank", pa.array(rank))
    choice = choose(Trusting(), Examples(rows, examples.requests, examples.truth), "home", seed=1)
    assert (choice.serves, choice.strangers) == ("segue", "friends")


def test_strangers_are_answered_by_the_ranker_where_it_is_better_for_them_too() -> None:
    assert choose(Trusting(), with_strangers(wanted=1), "home", seed=1).strangers == "segue"


def test_now_playing_knows_the_running_session_of_a_stranger() -> None:
    examples = with_strangers(wanted=2)
    truth = examples.truth.set_column(2, "grade", pa.array(np.full(3 * STRANGERS, 3, np.int8)))
    playing = Examples(examples.rows, examples.requests, truth)
    assert choose(Trusting(), playing, "now_playing", seed=1).strangers == "segue"


def test_a_strangers_list_is_popularitys_and_everybody_elses_the_rankers() -> None:
    examples = with_strangers(wanted=2)
    choice = Choice("segue", "popularity", {}, (), "popularity")
    score = stored_score(Trusting(), examples, "home", choice).reshape(-1, 3)
    assert (score[: 2 * STRANGERS].argmax(axis=1) == 1).all()
    assert (score[2 * STRANGERS :].argmax(axis=1) == 2).all()


def test_without_a_rule_for_strangers_the_scores_are_the_rankers() -> None:
    ranked = np.float32([0.5, -1.0])
    rank = np.float32([[1.0, 2.0]])
    stranger = np.array([True, False])
    score = serving_score(ranked, rank, ("popularity",), stranger, "popularity", "segue")
    assert score is ranked


def unknown(day: DayListens | None) -> Requests:
    """Two requests by listeners without history or session; the second listened today in `day`."""
    return Requests(
        "home",
        pa.array(["a", "b"]),
        pa.array(["u", "v"]),
        np.full(2, -1, dtype=np.int32),
        np.zeros(2, dtype=np.int64),
        np.zeros(3, dtype=np.int64),
        np.zeros(0, dtype=np.int32),
        day,
    )


def test_a_listener_without_history_is_no_stranger_once_they_listened_today(
    make_state: Callable[..., State],
) -> None:
    state = make_state()
    day = DayListens(np.array([0, 0, 1]), np.array([5], np.int32), np.array([False]))
    assert strangers(unknown(None), state).tolist() == [True, True]
    assert strangers(unknown(day), state).tolist() == [True, False]
