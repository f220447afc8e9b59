"""The comparison table: order, advantages, and chances adjusted for the number of models."""

import numpy as np
import pytest

from ml.evaluation.comparisons import p_values
from ml.evaluation.intervals import mean_interval, paired_interval, resampled_means
from ml.evaluation.metrics import Lists, Truth, per_request
from ml.evaluation.table import RESAMPLES, SHOWN, Row, comparison_rows, to_arrow, to_markdown

I32 = np.int32
REQUESTS, USERS = 40, 10
USER = (np.arange(REQUESTS) % USERS).astype(I32)
TRUTH = Truth(
    np.arange(REQUESTS, dtype=I32),
    np.zeros(REQUESTS, I32),
    np.ones(REQUESTS, np.int8),
    REQUESTS + 1,
)


def at_rank(rank: np.ndarray) -> Lists:
    """Lists in which the one relevant track of each request has a rank."""
    return Lists(TRUTH.request, TRUTH.track, rank.astype(I32))


def models() -> dict[str, Lists]:
    generator = np.random.default_rng(2)
    return {
        "weak": at_rank(generator.integers(3, 9, REQUESTS)),
        "strong": at_rank(generator.integers(1, 3, REQUESTS)),
        "luck": at_rank(generator.integers(1, 9, REQUESTS)),
    }


def rows(reference: str) -> list[Row]:
    user = np.append(USER, I32(USERS))
    return comparison_rows("home", models(), TRUTH, user, reference=reference, seed=3)


def test_the_reference_stands_on_top_and_the_others_by_ndcg() -> None:
    names = [row.model for row in rows("weak") if row.metric == "ndcg@10"]
    assert names == ["weak", "strong", "luck"]


def test_every_interval_is_that_of_the_model_alone() -> None:
    for row in rows("weak"):
        metric, k = row.metric.split("@")
        value = per_request(models()[row.model], TRUTH, int(k))[metric][:REQUESTS]
        alone = mean_interval(value, USER, seed=3, resamples=RESAMPLES)
        assert [row.value.mean, row.value.low, row.value.high] == pytest.approx(
            [alone.mean, alone.low, alone.high]
        )
        assert row.value.users == USERS


def test_an_advantage_is_paired_by_request() -> None:
    ndcg = {
        name: per_request(shown, TRUTH, 10)["ndcg"][:REQUESTS] for name, shown in models().items()
    }
    row = next(row for row in rows("strong") if row.model == "weak" and row.metric == "ndcg@10")
    alone = paired_interval(ndcg["strong"], ndcg["weak"], USER, seed=3, resamples=RESAMPLES)
    assert row.advantage is not None
    assert row.advantage.low == pytest.approx(alone.low)
    assert row.advantage.high == pytest.approx(alone.high)


def test_p_of_two_rivals_is_twice_that_of_the_nearer_to_none() -> None:
    found = {row.model: row.p for row in rows("strong") if row.metric == "ndcg@10"}
    assert found["strong"] is None
    least = 2 / (RESAMPLES + 1)
    assert found["weak"] == pytest.approx(2 * least)
    value = {
        name: per_request(shown, TRUTH, 10)["ndcg"][:REQUESTS] for name, shown in models().items()
    }
    gap = (value["strong"] - value["luck"]).reshape(-1, USERS).mean(axis=0)
    alone = p_values(resampled_means(gap[:, None], seed=3, resamples=RESAMPLES))[0]
    assert found["luck"] == pytest.approx(max(alone, 2 * least))


def test_without_the_reference_there_is_no_advantage() -> None:
    found = rows("absent")
    assert len(found) == 3 * len(SHOWN)
    assert all(row.advantage is None and row.p is None for row in found)


def test_no_model_makes_no_row() -> None:
    assert comparison_rows("home", {}, TRUTH, USER, reference="weak", seed=1) == []


def test_nobody_with_anything_to_find_makes_rows_without_figures() -> None:
    nothing = Truth(np.zeros(0, I32), np.zeros(0, I32), np.zeros(0, np.int8), 2)
    shown = {"a": Lists(*np.array([(0, 1, 1)], I32).T), "b": Lists(*np.array([(1, 1, 1)], I32).T)}
    found = comparison_rows("home", shown, nothing, np.array([0, 1], I32), reference="a", seed=1)
    assert {row.value.users for row in found} == {0}
    assert to_arrow(found)["mean"].to_numpy().tolist() == pytest.approx([np.nan] * 10, nan_ok=True)


def test_the_arrow_table_holds_chances_beside_advantages() -> None:
    table = to_arrow(rows("strong"))
    of_reference = table.filter(table["model"].to_numpy(zero_copy_only=False) == "strong")
    assert np.isnan(of_reference["advantage_p"].to_numpy()).all()
    assert (table["advantage_p"].to_numpy()[len(SHOWN) :] <= 1).all()


def test_the_table_for_people_has_a_line_a_model() -> None:
    lines = to_markdown(rows("strong")).splitlines()
    assert [line.split(" | ")[1] for line in lines[2:]] == ["strong", "luck", "weak"]


def test_one_listener_tells_no_chance() -> None:
    """Every resample is the listener: p would be the least there is."""
    alone = np.zeros(REQUESTS + 1, I32)
    found = comparison_rows("home", models(), TRUTH, alone, reference="strong", seed=3)
    others = [row for row in found if row.model != "strong"]
    assert len(others) == 2 * len(SHOWN)
    assert all(np.isnan(row.p) for row in others)
    assert all(row.advantage.text().endswith("(one listener)") for row in others)
