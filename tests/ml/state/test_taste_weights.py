"""Taste is what is streamed now, and a little of what ever was."""

from collections.abc import Callable

import numpy as np

from ml.state.state import State
from ml.state.taste import taste_weights


def test_streams_that_have_decayed_away_still_weigh_a_fifth_of_their_logarithm(
    make_state: Callable[..., State],
) -> None:
    plays = {
        (0, 1): {"streams": 3.0, "streams_h22": 0.0},
        (0, 2): {"streams": 1.0, "streams_h22": 1.0},
    }
    found = taste_weights(make_state(1, 4, plays), "streams_h22", np.arange(2))
    np.testing.assert_allclose(found, [0.2 * np.log(4), np.log(2) + 0.2 * np.log(2)], rtol=1e-6)
