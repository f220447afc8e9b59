"""A simulated world repeats itself, from a seed and from a stored state."""

from dataclasses import fields, replace
from datetime import date

import numpy as np
import pytest

from ml.simulation.config import INCIDENTS, Incident, SimulationError, WorldConfig
from ml.simulation.living import LivedDay, initial_state, live_day
from ml.simulation.memory import load_state, save_state
from ml.simulation.names import GENRES
from ml.simulation.world import World, create_world


def equal(one: LivedDay, other: LivedDay) -> bool:
    return all(
        getattr(one, field.name).equals(getattr(other, field.name)) for field in fields(LivedDay)
    )


def test_the_same_seed_lives_the_same_days(world, days):
    again = create_world(world.config)
    state = initial_state(again)
    for expected in days()[:2]:
        lived, state = live_day(again, state)
        assert equal(lived, expected)
        assert len(lived.listens) > 100


def test_another_seed_lives_other_days(world, days):
    other = create_world(replace(world.config, seed=6))
    lived, _ = live_day(other, initial_state(other))
    assert not lived.tracks.equals(days()[0].tracks)
    assert not lived.listens["track_id"].equals(days()[0].listens["track_id"])


def test_a_day_lived_twice_from_one_state_is_the_same_day(world):
    _, state = live_day(world, initial_state(world))
    first, after = live_day(world, state)
    second, again = live_day(world, state)
    assert equal(first, second)
    np.testing.assert_array_equal(after.track, again.track)
    np.testing.assert_array_equal(after.free, again.free)


def test_a_stored_state_goes_on_where_it_stood(world: World, tmp_path):
    _, state = live_day(world, initial_state(world))
    save_state(state, tmp_path)
    lived, _ = live_day(world, load_state(tmp_path))
    assert equal(lived, live_day(world, state)[0])


def test_a_state_of_another_version_is_refused_with_the_way_on(world, tmp_path):
    save_state(initial_state(world), tmp_path)
    np.savez(tmp_path / "memory.npz", day=np.int64(3), track=np.zeros((2, 2)))
    with pytest.raises(SimulationError, match="SEGUE_HOME=FOLDER segue simulate"):
        load_state(tmp_path)


def test_a_catalogue_that_lacks_a_genre_leaves_nobody_without_taste(world):
    assert len(set(world.catalogue.genre)) < len(GENRES)
    np.testing.assert_allclose(np.linalg.norm(world.listeners.taste, axis=1), 1.0, atol=1e-5)


def test_a_world_of_nobody_is_refused():
    with pytest.raises(SimulationError, match="listeners"):
        WorldConfig(5, date(2025, 3, 3), 1, 400)


def test_an_unknown_incident_is_refused_with_the_known_ones():
    with pytest.raises(SimulationError, match=", ".join(INCIDENTS)):
        Incident("earthquake", date(2025, 3, 3))


def test_what_flows_after_a_track_is_the_best_of_all_tracks(world):
    catalogue = world.catalogue
    near = catalogue.latent @ catalogue.latent.T + 0.06 * catalogue.quality
    np.fill_diagonal(near, -np.inf)
    best = -np.sort(-near, axis=1)[:, :20]
    found = np.take_along_axis(near, catalogue.neighbours.astype(np.int64), axis=1)
    np.testing.assert_allclose(found, best, atol=1e-5)
