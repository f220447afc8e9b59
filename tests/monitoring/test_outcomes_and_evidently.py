"""Lists against streams: hand-computed, and Evidently in agreement with ml.evaluation."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from monitoring.outcomes import evidently_rows, outcomes
from monitoring.ranking_quality import lead_over_popularity, numbers_of

DAY = date(2026, 3, 30)


def lists_of(rows):
    request, user, rank, track = zip(*rows, strict=True)
    return pa.table(
        {
            "request_id": request,
            "user_id": user,
            "rank": pa.array(rank, pa.int32()),
            "track_id": track,
        }
    )


@pytest.fixture
def small():
    """Listener a has two lists, b one that misses, c none; d did not listen."""
    lists = lists_of(
        [
            ("r1", "a", 1, "x"),
            ("r1", "a", 2, "y"),
            ("r2", "a", 1, "z"),
            ("r2", "a", 5, "x"),
            ("r3", "b", 1, "y"),
            ("r4", "d", 1, "w"),
        ]
    )
    streams = pa.table(
        {"user_id": ["a", "a", "b", "c", "a"], "track_id": ["x", "v", "x", "y", "x"]}
    )
    return lists, streams


def test_metrics_average_lists_within_a_listener_and_count_the_unlisted_as_zero(small):
    found = outcomes(*small)
    ideal = 1 + 1 / np.log2(3)
    second_list = 1 / np.log2(3)
    assert found.per_listener("ndcg", 10).tolist() == pytest.approx(
        [(1 / ideal + second_list / ideal) / 2, 0, 0]
    )
    assert found.per_listener("recall", 20).tolist() == pytest.approx([0.5, 0, 0])
    assert found.per_listener("hit_rate", 1).tolist() == pytest.approx([0.5, 0, 0])
    assert found.listed.tolist() == [True, True, False]
    assert found.streamed == 4


def test_coverage_counts_the_lists_of_everybody_and_repeats_are_optional(small):
    lists, streams = small
    numbers = numbers_of(outcomes(lists, streams), 8)
    assert numbers["coverage_at_10"] == 4 / 8
    assert "repeat_share_at_10" not in numbers
    repeats = lists.append_column("is_repeat", pa.array([True, False, None, True, False, False]))
    assert numbers_of(outcomes(repeats, streams), 8)["repeat_share_at_10"] == pytest.approx(2 / 6)


def test_no_lists_and_no_streams_are_no_crash(small):
    lists, streams = small
    assert outcomes(lists.slice(0, 0), streams).per_listener("ndcg", 10).tolist() == [0, 0, 0]
    assert outcomes(lists, streams.slice(0, 0)).listeners == 0


def test_lists_that_only_name_what_nobody_plays_fall_behind_popularity():
    users = [f"u{one:02d}" for one in range(40)]
    lists = lists_of([(f"r{one}", one, 1, "never") for one in users])
    streams = pa.table({"user_id": users, "track_id": [f"t{one % 3}" for one in range(40)]})
    found = outcomes(lists, streams)
    (behind,) = lead_over_popularity(found, streams, ("t0", "t1", "t2"))
    assert behind.severity == "act"
    assert behind.observed == 0.0
    (ahead,) = lead_over_popularity(found, streams, ("nothing",))
    assert ahead.severity == "ok"


@pytest.mark.parametrize(("listed", "judged"), [(2, 0), (19, 0), (20, 1)])
def test_a_handful_of_listeners_with_a_list_says_nothing_about_popularity(listed, judged):
    users = [f"u{one:02d}" for one in range(40)]
    lists = lists_of([(f"r{one}", one, 1, "never") for one in users[:listed]])
    streams = pa.table({"user_id": users, "track_id": ["t0"] * 40})
    assert len(lead_over_popularity(outcomes(lists, streams), streams, ("t0",))) == judged


@pytest.fixture(scope="module")
def random_day():
    """Lists of 3 to 30 tracks, one listener in five without one, 1 to 40 streams a listener."""
    rng = np.random.default_rng(7)
    rows, users, tracks = [], [], []
    for user in range(60):
        if user % 5:
            chosen = rng.choice(120, rng.integers(3, 31), replace=False)
            rows += [
                (f"r{user}", f"u{user}", rank + 1, f"t{one}") for rank, one in enumerate(chosen)
            ]
        streamed = rng.choice(120, rng.integers(1, 41))
        users += [f"u{user}"] * len(streamed)
        tracks += [f"t{one}" for one in streamed]
    return outcomes(lists_of(rows), pa.table({"user_id": users, "track_id": tracks}))


@pytest.mark.parametrize("cut", [10, 20])
def test_evidently_agrees_with_ours_to_1e_9(random_day, cut):
    from monitoring.evidently_pages import ranking_snapshot, values_at

    snapshot = ranking_snapshot(evidently_rows(random_day, 60, cut, (0,)), "agreement", DAY)
    names = {"NDCG": "ndcg", "RecallTopK": "recall", "HitRate": "hit_rate", "MRR": "mrr"}
    for theirs, ours in names.items():
        expected = [random_day.per_listener(ours, k).mean() for k in range(1, cut + 1)]
        assert values_at(snapshot, theirs) == pytest.approx(expected, abs=1e-9), theirs


def test_a_sample_of_listeners_is_drawn_whole(random_day):
    rows = evidently_rows(random_day, 10, 20, (0,)).rows
    counts = rows.group_by("user").aggregate([("relevant", "sum"), ("item", "count")])
    assert counts.num_rows == 10
    assert rows.equals(evidently_rows(random_day, 10, 20, (0,)).rows)
    relevant = random_day.truth.relevant()
    assert set(counts["relevant_sum"].to_pylist()) <= set(relevant.tolist())
