"""The large home is drawn the same every time, and its bench shows a bar that is missed."""

from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from ml.lake.store import Lake
from ml.tables import LISTENS
from tests.benchmarks.heavy import sizes_up_to, told, with_growth_bar
from tests.benchmarks.heavy_lake import FIRST_DAY, Size, mixed, write_home_of
from tests.benchmarks.measure import Measure

TINY = Size(days=2, a_day=500, listeners=40, tracks=320, more=100)
LONGER = Size(days=3, a_day=500, listeners=40, tracks=320, more=100)


def test_a_longer_world_begins_with_the_shorter_one(tmp_path: Path) -> None:
    write_home_of(tmp_path / "short", TINY)
    write_home_of(tmp_path / "long", LONGER)
    short = Lake(tmp_path / "short").read("listens", start=FIRST_DAY, end=TINY.end)
    long = Lake(tmp_path / "long").read("listens", start=FIRST_DAY, end=TINY.end)
    assert short.num_rows == TINY.listens
    assert short.equals(long)


def test_its_listens_are_canonical_with_ids_of_their_own(tmp_path: Path) -> None:
    write_home_of(tmp_path, TINY)
    listens = Lake(tmp_path).read("listens")
    assert listens.schema.equals(LISTENS.schema)
    assert listens.num_rows == pc.count_distinct(listens["listen_id"]).as_py() == 1_100
    assert pc.all(pc.less_equal(listens["played_at"], listens["known_at"])).as_py()
    tracks = Lake(tmp_path).read("tracks")
    assert set(listens["track_id"].to_pylist()) <= set(tracks["track_id"].to_pylist())


def test_draws_are_functions_of_their_numbers_and_spread_evenly() -> None:
    numbers = np.arange(10_000, dtype=np.uint64)
    drawn = mixed(numbers, 5)
    assert np.array_equal(drawn, mixed(numbers, 5))
    assert 0.49 < drawn.mean() < 0.51
    assert not np.array_equal(drawn, mixed(numbers, 6))


def test_a_day_that_grew_with_the_history_misses_its_bar() -> None:
    earlier = Measure("one more day", "", 10.0)
    assert not with_growth_bar(Measure("one more day", "", 15.0), earlier).missed
    assert with_growth_bar(Measure("one more day", "", 15.1), earlier).missed


def test_a_missed_bar_and_a_step_without_a_row_fail_the_bench() -> None:
    held, missed = Measure("a", "", 1.0), Measure("a", "", 1.0, bar="0 s", missed=True)
    assert told({"2M": {"lake": held}}, ["lake"], 0.5) == 0
    assert told({"2M": {"lake": missed}}, ["lake"], 0.5) == 1
    assert told({"2M": {}}, ["lake"], 0.5) == 1


def test_a_size_is_measured_after_the_smaller_ones() -> None:
    assert sizes_up_to("20M") == ["200K", "2M", "20M"]
