"""What is heard again: memory fades as a power law, and a track tires."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from ml.simulation.liking import utility
from ml.simulation.living import initial_state, live_day
from ml.simulation.marginals import density_slope, hours_between
from ml.simulation.market import open_market
from ml.simulation.memory import PLAYS, Moment, moment, remember
from ml.simulation.proposals import remembered

HOUR = 1.0 / 24.0


def remembering(*plays: tuple[int, float]) -> Moment:
    """One listener who played these (track, days ago), between two sessions."""
    heard = np.full((1, PLAYS), -1, dtype=np.int32)
    ago = np.full((1, PLAYS), 1_000.0)
    for slot, (track, days) in enumerate(plays):
        heard[0, slot], ago[0, slot] = track, days
    return Moment(np.array([0]), np.array([-1]), np.array([0], dtype=np.int8), heard, ago)


def drawn(at: Moment, forgetting: float) -> np.ndarray:
    """A thousand evenly spread draws from the memory."""
    which = (np.arange(1_000) + 0.5) / 1_000
    return remembered(at, np.zeros(1_000, dtype=np.int64), which, forgetting)


@pytest.mark.parametrize(("forgetting", "share"), [(0.5, 0.2), (1.0, 1 / 17), (0.0, 0.5)])
def test_a_play_sixteen_days_old_comes_back_by_the_power_of_its_age(forgetting, share):
    found = drawn(remembering((3, 1.0 - HOUR), (8, 16.0 - HOUR)), forgetting)
    assert set(found) == {3, 8}
    assert np.mean(found == 8) == pytest.approx(share, abs=0.001)


def test_two_plays_of_a_track_add_up():
    found = drawn(remembering((3, 1.0), (8, 1.0), (8, 1.0)), 0.8)
    assert np.mean(found == 8) == pytest.approx(2 / 3, abs=0.001)


def test_who_has_heard_nothing_remembers_nothing():
    assert set(drawn(remembering(), 0.8)) == {-1}


def liked(world, at: Moment, track: int) -> float:
    market = open_market(world, 0, None)
    return utility(world, market, world.listeners.taste, at, np.array([[track]]))[0, 0]


def test_a_track_is_liked_more_after_a_week_and_less_after_a_minute(world):
    never = liked(world, remembering(), 7)
    assert liked(world, remembering((7, 7.0)), 7) > never
    assert liked(world, remembering((7, HOUR / 60)), 7) < never


def test_every_play_of_the_day_beyond_the_first_tires(world):
    plays = [(7, 2 * HOUR), (7, 5 * HOUR), (7, 9 * HOUR)]
    liking = [liked(world, remembering(*plays[:count]), 7) for count in (1, 2, 3)]
    assert liking[0] > liking[1] > liking[2]


def test_a_track_does_not_flow_from_itself(world):
    first = remembering()
    after_itself = replace(first, last=np.array([7]))
    assert liked(world, after_itself, 7) == pytest.approx(liked(world, first, 7))


def test_memory_keeps_the_latest_plays(world):
    state = initial_state(world)
    for play in range(PLAYS + 1):
        remember(state, np.array([4]), np.array([play]), np.array([play / 100]))
    at = moment(state, np.array([4]), np.array([-1]), np.array([0]), np.array([2.0]))
    assert sorted(at.heard[0]) == list(range(1, PLAYS + 1))
    assert at.ago.max() == pytest.approx(2.0 - 0.01)


def test_in_a_life_returns_thin_out_as_a_power_of_the_time_between(world):
    state, parts = initial_state(world), []
    for _ in range(25):
        lived, state = live_day(world, state)
        parts.append(lived.listens)
    listens = pa.concat_tables(parts)
    user, track = (
        np.asarray(listens[name].combine_chunks().dictionary_encode().indices, np.int64)
        for name in ("user_id", "track_id")
    )
    second = listens["played_at"].cast(pa.int64()).to_numpy() / 1e6
    hours = hours_between(user, track, second)
    assert -2.2 < density_slope(hours, 24.0, 360.0, bins=6) < -0.8
