"""Taste is what is streamed now, and a little of what ever was."""

from collections.abc import Callable

import numpy as np

from ml.state.state import State
from ml.state.taste import tastes_of


def test_streams_that_have_decayed_away_still_weigh_a_fifth_of_their_logarithm(
    make_state: Callable[..., State],
) -> None:
    plays = {
        (0, 1): {"streams": 3.0, "streams_h22": 0.0},
        (0, 2): {"streams": 1.0, "streams_h22": 1.0},
    }
    found = tastes_of(make_state(1, 4, plays), "streams_h22", np.array([0, -1], np.int32))
    assert (found.indptr.tolist(), found.column.tolist()) == ([0, 2, 2], [1, 2])
    np.testing.assert_allclose(
        found.value, [0.2 * np.log(4), np.log(2) + 0.2 * np.log(2)], rtol=1e-6
    )
