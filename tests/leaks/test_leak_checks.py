"""What a training run says in Dagster about leaks."""

import dagster as dg

from ml.evaluation.leaks import Filtered
from ml.ranking.honesty import Honesty
from orchestration.defs.candidates.assets import not_filtered, only_the_past

CLEAN = Honesty({}, None, {})


def test_a_run_that_knows_only_the_past_passes() -> None:
    assert only_the_past(CLEAN).passed
    assert not_filtered(CLEAN).passed


def test_a_feature_that_knows_the_future_fails_the_check_and_is_named_first_where_it_is_worst() -> (
    None
):
    check = only_the_past(Honesty({"home a": 0.1, "home b": 0.5}, None, {}))
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.ERROR
    assert check.metadata["others without the future"].value == (
        "home b (50.0% of rows), home a (10.0% of rows)"
    )


def test_a_filtered_history_is_a_warning_that_names_the_features_which_count() -> None:
    check = not_filtered(Honesty({}, Filtered(5, 80, 1e-9, 2.345), {"home track_listeners": 1.0}))
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert check.metadata["least listens of a track"].value == 5
    assert check.metadata["they come more often than their past says by"].value == 2.35
    assert check.metadata["features that tell them"].value == "home track_listeners"
