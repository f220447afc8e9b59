"""One request's list is that of the rules for many."""

import numpy as np
import pytest

from ml.policy.one_list import one_list
from ml.policy.rules import PolicyRules, apply_rules


@pytest.fixture
def catalogue(make_state):
    """Forty tracks by six artists, some unknown, in pairs of recordings, some explicit."""
    made = make_state(1, 40, {}).catalogue
    draw = np.random.default_rng(3)
    made.artist[:] = draw.integers(-1, 6, 40)
    made.recording[:] = draw.integers(-1, 20, 40)
    made.explicit[:] = draw.integers(-1, 2, 40)
    return made


@pytest.mark.parametrize("rules", [PolicyRules(), PolicyRules(2), PolicyRules(1, False)])
@pytest.mark.parametrize("k", [1, 5, 100])
def test_it_is_the_list_that_the_rules_for_many_make(catalogue, rules, k):
    draw = np.random.default_rng(k)
    for rows in (0, 1, 3, 40, 40, 40):
        track = draw.permutation(40)[:rows].astype(np.int32)
        # Few different scores: ties go by the track.
        score = draw.integers(0, 5, rows).astype(np.float32)
        request = np.zeros(rows, dtype=np.int32)
        many = apply_rules(request, track, score, catalogue, rules, k)
        np.testing.assert_array_equal(
            one_list(track, score, catalogue, rules, k), many.row, strict=True
        )


def test_the_second_recording_and_the_artist_beyond_the_cap_give_way(catalogue):
    catalogue.recording[:6] = [1, 1, 2, 3, 4, -1]
    catalogue.artist[:6] = [7, 7, 7, 7, 8, 7]
    track = np.arange(6, dtype=np.int32)
    score = np.array([6, 5, 4, 3, 2, 1], dtype=np.float32)
    assert one_list(track, score, catalogue, PolicyRules(2), 10).tolist() == [0, 2, 4]
    assert one_list(track, score, catalogue, PolicyRules(), 10).tolist() == [0, 2, 3, 4, 5]
