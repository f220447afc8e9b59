"""A country's list is what its listeners stream, drawn towards the world's where they say little."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ml.candidates.country_popularity import CountryPopularity
from ml.candidates.plan import grounded
from ml.state.state import State
from tests.ml.asking import asked

Stream = Callable[..., dict[str, float]]

# What a stream of today is worth: half-lives of 3 days and a hundredth of 63 days.
ONE = 1.01


@pytest.fixture
def state(make_state: Callable[..., State], stream: Stream) -> State:
    """Listeners 0 and 1 are of country 0, 2 of country 1, 3 of none known, 4 of country 1 without history."""
    plays = {
        (0, 0): stream(2_000.0),
        (1, 0): stream(1_000.0),
        (1, 2): stream(1_000.0),
        (2, 1): stream(500.0),
        (3, 3): stream(5_500.0),
    }
    country = np.array([0, 0, 1, -1, 1], np.int32)
    return replace(make_state(5, 6, plays), country=country)


def test_scores_are_the_countrys_streams_and_a_thousand_of_the_worlds(state: State) -> None:
    """The world's shares: track 0 .3, 1 .05, 2 .1, 3 .55. Country 0 streamed 3,000 of track 0 and 1,000
    of track 2."""
    found = CountryPopularity().generate(asked(0), state, 6)
    whole = 4_000 * ONE + 1_000
    expected = [(3_000 * ONE + 300) / whole, (1_000 * ONE + 100) / whole, 550 / whole, 50 / whole]
    assert found.track.tolist()[:4] == [0, 2, 3, 1]
    assert found.score.tolist()[:4] == pytest.approx(expected, rel=1e-5)


def test_a_country_of_few_streams_is_drawn_towards_the_world(state: State) -> None:
    """500 streams of track 1 are worth less than 550 of the world's track 3."""
    found = CountryPopularity().generate(asked(2), state, 3)
    whole = 500 * ONE + 1_000
    assert found.track.tolist() == [1, 3, 0]
    assert found.score.tolist() == pytest.approx(
        [(500 * ONE + 50) / whole, 550 / whole, 300 / whole], rel=1e-5
    )


def test_who_has_no_history_gets_the_list_of_the_country(state: State) -> None:
    found = CountryPopularity().generate(asked(4, 2), state, 3)
    assert found.request.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.track.tolist() == [1, 3, 0] * 2
    assert found.rank.tolist() == [1, 2, 3] * 2


def test_an_unknown_country_gets_nothing(state: State) -> None:
    found = CountryPopularity().generate(asked(3, 0, -1), state, 2)
    assert found.request.tolist() == [1, 1]
    assert found.track.tolist() == [0, 2]


def test_a_short_list_is_the_head_of_a_long_one(state: State) -> None:
    """The world's tracks that are looked at are as many as are asked for."""
    long = CountryPopularity().generate(asked(0), state, 6)
    short = CountryPopularity().generate(asked(0), state, 3)
    assert short.track.tolist() == long.track.tolist()[:3]
    assert short.score.tolist() == long.score.tolist()[:3]


def test_a_home_without_countries_has_no_such_source(
    state: State, make_state: Callable[..., State]
) -> None:
    nowhere = make_state(5, 6)
    assert "country_popularity" in grounded("home", state)
    assert "country_popularity" not in grounded("home", nowhere)
    # A model that was made with countries meets a day without them.
    assert len(CountryPopularity().generate(asked(0), nowhere, 6).track) == 0
