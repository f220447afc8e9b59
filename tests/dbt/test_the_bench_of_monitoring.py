"""The listens that the bench of monitoring computes are those of the warehouse."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from ml.simulation.config import WorldConfig
from ml.simulation.living import initial_state, live_day
from ml.simulation.world import create_world
from monitoring.profile import daily_profiles, head_tracks
from tests.benchmarks.monitored_world import begin
from tests.dbt.conftest import Home

FIRST, DAYS = date(2025, 3, 1), 4


@pytest.fixture(scope="module")
def world():
    return create_world(WorldConfig(5, FIRST, 60, 300))


def test_four_days_of_a_world_have_the_same_profiles(world, home: Home) -> None:
    life, state, lived, light = begin(world), initial_state(world), [], []
    for _ in range(DAYS):
        found, state = live_day(world, state)
        lived.append(found)
        day, life = life.lived()
        light.append(day.listens)
    for table in ("listens", "tracks", "users"):
        home.write(table, pa.concat_tables([getattr(one, table) for one in lived]))
    end = FIRST + timedelta(days=DAYS)
    home.run(FIRST, end, "--select", "+int_listens")
    stored = home.query("select * from intermediate.listens order by known_at, listen_id")
    ours = pa.concat_tables(light)
    head = head_tracks(stored)
    assert head == head_tracks(ours)
    for theirs, mine in zip(daily_profiles(stored, head), daily_profiles(ours, head), strict=True):
        assert mine.day == theirs.day
        assert mine.shares == theirs.shares
        assert mine.numbers == theirs.numbers
