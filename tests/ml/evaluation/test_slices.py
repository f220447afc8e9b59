"""Slices of requests and of targets, and models on them."""

import numpy as np
import pytest

from ml.evaluation.intervals import mean_interval
from ml.evaluation.metrics import EvaluationError, Lists, Truth, per_request
from ml.evaluation.sliced import slice_advantages, slice_rows
from ml.evaluation.slices import (
    Slices,
    everything,
    history_lengths,
    popularity_tiers,
    repeat_and_explore,
    times_of_day,
)

I32 = np.int32
NDCG = (("ndcg", 10),)


def truth(requests: int, *rows: tuple[int, int]) -> Truth:
    """(request, track) a row."""
    request, track = np.array(rows, I32).reshape(-1, 2).T
    return Truth(request, track, np.ones(len(request), np.int8), requests)


def lists(*rows: tuple[int, int, int]) -> Lists:
    """(request, track, rank) a row."""
    return Lists(*np.array(rows, I32).reshape(-1, 3).T)


def labels(slices: Slices) -> list[str]:
    return [slices.labels[code] for code in slices.code]


def test_tiers_hold_half_three_tenths_and_the_rest_of_streams() -> None:
    # In order of streams: 50, then 20 and 10, then 20 in small parts, and one never streamed.
    streams = np.array([10, 50, 20, 5, 15, 0], np.uint32)
    wanted = truth(1, (0, 1), (0, 2), (0, 4), (0, 0), (0, 3), (0, 5), (0, 6), (0, -1))
    assert labels(popularity_tiers(wanted, streams)) == [
        "head", "mid", "mid", "tail", "tail", "cold", "cold", "cold",
    ]  # fmt: skip


def test_a_request_is_in_the_band_of_its_listeners_history() -> None:
    wanted = truth(5, *[(request, 0) for request in range(5)])
    found = history_lengths(wanted, np.array([0, 4, 5, 499, 500]))
    assert found.code.tolist() == [0, 0, 1, 2, 3]


def test_a_request_is_in_the_quarter_of_its_utc_day() -> None:
    day = 86_400 * 19_000
    wanted = truth(4, (0, 1), (1, 1), (2, 1), (3, 1), (3, 2))
    found = times_of_day(wanted, day + np.array([0, 6 * 3_600, 6 * 3_600 - 1, 86_399]))
    assert found.code.tolist() == [0, 1, 0, 3, 3]


def test_a_slice_of_targets_judges_a_list_by_those_targets_alone() -> None:
    wanted = truth(2, (0, 1), (0, 2), (1, 3))
    shown = {"model": lists((0, 2, 1), (0, 1, 2), (1, 4, 1))}
    parts = repeat_and_explore(np.array([True, False, False]))
    table = slice_rows(shown, wanted, np.array([0, 1], I32), [parts], metrics=NDCG, seed=1)
    repeat, explore = table.to_pylist()
    assert repeat["slice"] == "repeat"
    # One repeat, at rank 2; request 1 wants none and is left out.
    assert repeat["mean"] == pytest.approx(1 / np.log2(3))
    assert repeat["users"] == 1
    # Of two requests for something new one is answered at rank 1, the other not.
    assert explore["mean"] == pytest.approx(0.5)
    assert explore["users"] == 2


def test_a_cold_target_is_a_miss_of_its_own_slice() -> None:
    wanted = truth(1, (0, 0), (0, 9))
    shown = {"model": lists((0, 0, 1), (0, 1, 2))}
    tiers = popularity_tiers(wanted, np.array([5, 1]))
    table = slice_rows(shown, wanted, np.array([0], I32), [tiers], metrics=NDCG, seed=1)
    found = {row["slice"]: row["mean"] for row in table.to_pylist()}
    assert found["head"] == 1.0
    assert found["cold"] == 0.0
    assert np.isnan(found["mid"])


def random_case() -> tuple[dict[str, Lists], Truth, np.ndarray]:
    """Two models, the second with the better half of the first's ranks, on 60 requests of 20 users."""
    generator = np.random.default_rng(1)
    requests, depth = 60, 12
    track = np.argsort(generator.random((requests, 40)), axis=1)[:, :depth].astype(I32)
    better = track.copy()
    better[:, 0] = np.arange(requests) % 40
    request = np.repeat(np.arange(requests, dtype=I32), depth)
    rank = np.tile(np.arange(1, depth + 1, dtype=I32), requests)
    # A track twice in a list is refused: its second place goes to a track nobody knows.
    again = (better[:, 1:] == better[:, :1]).nonzero()
    better[again[0], again[1] + 1] = 99
    wanted = truth(requests, *[(one, one % 40) for one in range(requests)])
    models = {
        "plain": Lists(request, track.ravel(), rank),
        "better": Lists(request, better.ravel(), rank),
    }
    return models, wanted, (np.arange(requests) % 20).astype(I32)


def test_the_slice_of_everything_has_the_interval_of_everything() -> None:
    shown, wanted, user = random_case()
    table = slice_rows(shown, wanted, user, [everything(wanted)], seed=4)
    assert table.column_names == [
        "family", "slice", "model", "metric", "mean", "low", "high", "users",
    ]  # fmt: skip
    for row in table.to_pylist():
        metric, k = row["metric"].split("@")
        values = per_request(shown[row["model"]], wanted, int(k))[metric]
        whole = mean_interval(values, user, seed=4)
        assert [row["mean"], row["low"], row["high"]] == pytest.approx(
            [whole.mean, whole.low, whole.high]
        )
        assert row["users"] == 20


def test_slices_of_requests_are_means_over_their_requests() -> None:
    shown, wanted, user = random_case()
    streams = np.arange(60)
    table = slice_rows(
        shown, wanted, user, [history_lengths(wanted, streams)], metrics=NDCG, seed=4
    )
    ndcg = per_request(shown["better"], wanted, 10)["ndcg"]
    row = next(
        row for row in table.to_pylist()
        if row["model"] == "better" and row["slice"] == "under 5 streams"
    )  # fmt: skip
    assert row["mean"] == pytest.approx(ndcg[:5].mean())
    assert row["users"] == 5


def test_the_better_model_has_a_sure_advantage_on_every_slice() -> None:
    shown, wanted, user = random_case()
    families = [everything(wanted), times_of_day(wanted, np.arange(60) % 24 * 3_600)]
    table = slice_advantages(
        shown, wanted, user, families, reference="better", metrics=NDCG, seed=1
    )
    rows = table.to_pylist()
    assert [row["slice"][:5] for row in rows] == ["all", "night", "morni", "after", "eveni"]
    assert {row["model"] for row in rows} == {"plain"}
    assert all(row["low"] > 0 and row["p"] < 0.05 for row in rows)


def test_p_of_an_advantage_is_adjusted_for_the_number_of_slices() -> None:
    shown, wanted, user = random_case()
    parts = [everything(wanted)] * 4
    table = slice_advantages(shown, wanted, user, parts, reference="better", metrics=NDCG, seed=1)
    one = slice_advantages(shown, wanted, user, parts[:1], reference="better", metrics=NDCG, seed=1)
    assert table["p"].to_pylist() == pytest.approx([4 * one["p"][0].as_py()] * 4)


def test_slices_of_another_truth_are_refused() -> None:
    shown, wanted, user = random_case()
    foreign = everything(truth(1, (0, 1)))
    with pytest.raises(EvaluationError, match="each of the 60 rows"):
        slice_rows(shown, wanted, user, [foreign], seed=1)


def test_an_unknown_reference_is_refused() -> None:
    shown, wanted, user = random_case()
    with pytest.raises(EvaluationError, match="found 'best'"):
        slice_advantages(shown, wanted, user, [everything(wanted)], reference="best", seed=1)


def test_a_slice_of_one_listener_tells_no_chance_and_is_no_member_of_the_family() -> None:
    shown, wanted, user = random_case()
    alone = user[wanted.request] == 0
    parts = Slices("alone", ("yes", "no"), np.where(alone, 0, 1).astype(np.int8))
    table = slice_advantages(shown, wanted, user, [parts], reference="better", metrics=NDCG, seed=4)
    chance = {row["slice"]: row["p"] for row in table.to_pylist()}
    assert np.isnan(chance["yes"])
    assert 0.0 < chance["no"] <= 1.0
