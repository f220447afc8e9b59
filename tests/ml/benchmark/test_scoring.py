"""Lists are scored on all requests; what is missing is a miss."""

import pyarrow as pa
import pytest

from ml.benchmark.scoring import SEGUE, scores

REQUESTS = pa.table({"request_id": ["a", "b"]})
TRUTH = pa.table({"request_id": ["a", "b"], "track_id": ["x", "y"], "listener": ["u", "v"]})


def listed(*rows: tuple[str, str, int]) -> pa.Table:
    request, track, rank = (list(column) for column in zip(*rows, strict=True))
    return pa.table({"request_id": request, "track_id": track, "rank": pa.array(rank, pa.int32())})


def test_a_missing_list_and_an_unknown_track_count_as_misses() -> None:
    found = scores(REQUESTS, TRUTH, {SEGUE: listed(("a", "z", 1), ("a", "x", 2))}, seed=1)
    values = found[0].values
    assert values["HR@20"].mean == 0.5
    assert values["MRR@20"].mean == 0.25
    assert values["HR@20"].users == 2


def test_segue_stands_on_top_with_its_advantage_over_every_other_model() -> None:
    best, worst = listed(("a", "x", 1), ("b", "y", 1)), listed(("a", "x", 1))
    found = scores(REQUESTS, TRUTH, {"walk": best, SEGUE: worst}, seed=1)
    assert [row.model for row in found] == [SEGUE, "walk"]
    assert found[1].advantages["HR@10"].mean == pytest.approx(-0.5)
