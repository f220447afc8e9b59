"""The words of shown tracks are the catalogue's, however often they were asked for."""

import math

from ml.state.described import described_tracks


def test_words_are_those_of_the_catalogue_the_first_time_and_later(make_state):
    state = make_state()
    catalogue = state.catalogue
    catalogue.duration_ms[:2] = [180_000.0, math.nan]
    for places in ([0], [1, 0]):
        found = described_tracks(state, places)
        for place in places:
            assert found[place].track_id == catalogue.track_ids[place].as_py()
            assert found[place].title == catalogue.titles[place].as_py()
            assert found[place].artist == catalogue.artist_names[place].as_py()
    assert found[0].duration_ms == 180_000.0
    assert math.isnan(found[1].duration_ms)


def test_what_is_kept_is_bounded(make_state):
    state = make_state()
    described_tracks(state, [0, 1], most=2)
    found = described_tracks(state, [2], most=2)
    assert list(found) == [2]


def test_another_state_has_words_of_its_own(make_state):
    one, other = make_state(), make_state()
    described_tracks(one, [0])
    assert 0 not in described_tracks(other, [1])
