"""Gauges by hand, and Evidently in agreement where it has the same figure."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from ml.evaluation.metrics import Lists
from monitoring.gauges import exposure_gini, list_similarity, of_listens, of_lists
from monitoring.profile import Profile

DAY = date(2026, 3, 30)


def lists_of(*lists):
    request = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
    rank = np.concatenate([np.arange(1, len(one) + 1) for one in lists])
    return Lists(
        request.astype(np.int32), np.concatenate(lists).astype(np.int32), rank.astype(np.int32)
    )


def test_exposure_is_concentrated_when_one_track_has_all():
    assert exposure_gini(np.array([5, 5, 5])) == pytest.approx(0.0)
    assert exposure_gini(np.array([0, 0, 9])) == pytest.approx(1.0)
    # (2i - 4) x_i = -2 + 0 + 2 * 3 over (3 - 1) * 5.
    assert exposure_gini(np.array([1, 1, 3])) == pytest.approx(0.4)


def test_lists_are_alike_by_the_share_of_places_they_have_in_common():
    assert of_lists(lists_of([1, 2], [1, 2]), 2)["list_similarity_at_2"] == 1.0
    assert of_lists(lists_of([1, 2], [3, 4]), 2)["list_similarity_at_2"] == 0.0
    # Pairs share 1 of 2, 0 of 2 and 1 of 2.
    three = of_lists(lists_of([1, 2], [2, 3], [3, 4]), 2)
    assert three["list_similarity_at_2"] == pytest.approx(1 / 3)
    assert list_similarity(np.array([1, 2, 2, 1]), 3, 2) == pytest.approx(1 / 3)


def test_only_the_top_counts_and_what_does_not_exist_is_left_out():
    assert of_lists(lists_of([1, 2], [1, 3]), 1) == {"list_similarity_at_1": 1.0}
    assert of_lists(lists_of([1, 2]), 2) == {"exposure_gini_at_2": 0.0}


def test_listens_without_a_request_are_organic_and_surfaces_have_their_shares():
    shares = {"surface": {"home": 0.75, "radio": 0.25}}
    profile = Profile(DAY, {"listens": 4.0, "requested_share": 0.25}, shares)
    assert of_listens(profile) == {
        "organic_share": 0.75,
        "surface_share.home": 0.75,
        "surface_share.radio": 0.25,
    }
    assert of_listens(Profile(DAY, {"listens": 0.0}, {})) == {}


@pytest.fixture(scope="module")
def shown():
    """Forty full lists of ten, popular tracks in most of them."""
    rng = np.random.default_rng(5)
    weight = 1 / np.arange(1, 61)
    lists = [rng.choice(60, 10, replace=False, p=weight / weight.sum()) for _ in range(40)]
    return lists_of(*lists)


def evidently(shown, *metrics):
    """The metrics' values on these lists, as Evidently computes them."""
    from evidently import DataDefinition, Dataset, Recsys, Report

    rows = pa.table(
        {
            "user": shown.request.astype(np.int64),
            "item": shown.track.astype(np.int64),
            "position": shown.rank.astype(np.int64),
            "relevant": (shown.rank == 1).astype(np.int64),
        }
    ).to_pandas()
    ranking = Recsys(
        user_id="user",
        item_id="item",
        target="relevant",
        prediction="position",
        recommendations_type="rank",
    )
    definition = DataDefinition(numerical_columns=["position", "relevant"], ranking=[ranking])
    current = Dataset.from_pandas(rows, data_definition=definition)
    # What was streamed before the lists; no figure here rests on it.
    past = Dataset.from_pandas(rows.copy(), data_definition=definition)
    run = Report(list(metrics)).run(current, None, additional_data={"current_train_data": past})
    return [one["value"] for one in run.dict()["metrics"]]


@pytest.mark.parametrize("cut", [5, 10])
def test_evidently_agrees_on_concentration_and_on_likeness(shown, cut):
    from evidently.metrics import Personalization, PopularityBiasMetric

    gini, personal = evidently(
        shown, PopularityBiasMetric(k=cut, metric="gini"), Personalization(k=cut)
    )
    ours = of_lists(shown, cut)
    assert ours[f"exposure_gini_at_{cut}"] == pytest.approx(gini, abs=1e-9)
    assert ours[f"list_similarity_at_{cut}"] == pytest.approx(1 - personal, abs=1e-9)


def test_evidently_agrees_on_the_share_of_a_surface():
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import CategoryCount

    surface = pa.array(["home"] * 3 + ["radio"] * 5)
    frame = pa.table({"surface": surface}).to_pandas()
    data = Dataset.from_pandas(frame, DataDefinition(categorical_columns=["surface"]))
    run = Report([CategoryCount(column="surface", category="home")]).run(data, None)
    share = run.dict()["metrics"][0]["value"]["share"]
    profile = Profile(
        DAY, {"listens": 8.0, "requested_share": 0.0}, {"surface": {"home": 3 / 8, "radio": 5 / 8}}
    )
    assert of_listens(profile)["surface_share.home"] == pytest.approx(share, abs=1e-12)
