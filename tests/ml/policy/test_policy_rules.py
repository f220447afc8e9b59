"""The rules filter, cap and cut, by score."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml.policy.rules import PolicyRules, apply_rules


def apply(make_state, rules, track, score, request=None, k=10, catalogue=None):
    catalogue = catalogue or make_state().catalogue
    request = np.array(request or [0] * len(track), dtype=np.int32)
    shown = apply_rules(
        request, np.array(track, np.int32), np.array(score, np.float32), catalogue, rules, k
    )
    return [
        (int(request[row]), track[row], int(rank))
        for row, rank in zip(shown.row, shown.rank, strict=True)
    ]


def test_lists_are_sorted_by_score_and_ties_by_track(make_state):
    shown = apply(make_state, PolicyRules(), [4, 0, 2], [1.0, 2.0, 1.0])
    assert shown == [(0, 0, 1), (0, 2, 2), (0, 4, 3)]


def test_an_artist_beyond_the_cap_gives_way(make_state):
    shown = apply(make_state, PolicyRules(artist_cap=1), [0, 1, 2], [3.0, 2.0, 1.0])
    assert shown == [(0, 0, 1), (0, 2, 2)]


def test_of_two_recordings_the_better_one_stays(make_state):
    catalogue = make_state().catalogue
    catalogue.recording[:] = [0, 0, 1, 2, 3, 4]
    shown = apply(make_state, PolicyRules(), [0, 1, 2], [1.0, 2.0, 0.5], catalogue=catalogue)
    assert shown == [(0, 1, 1), (0, 2, 2)]


def test_tracks_without_a_known_recording_are_all_kept(make_state):
    catalogue = make_state().catalogue
    catalogue.recording[:] = -1
    assert len(apply(make_state, PolicyRules(), [0, 1, 2], [1, 2, 3], catalogue=catalogue)) == 3


def test_explicit_tracks_and_blocked_artists_are_not_shown(make_state):
    catalogue = make_state().catalogue
    catalogue.explicit[0] = 1
    rules = PolicyRules(allow_explicit=False, blocked_artists=("a1",))
    shown = apply(make_state, rules, [0, 1, 2, 3, 4], [5, 4, 3, 2, 1], catalogue=catalogue)
    assert [track for _, track, _ in shown] == [1, 4]


def test_no_candidates_give_no_lists(make_state):
    assert apply(make_state, PolicyRules(), [], []) == []


@given(st.data())
def test_ranks_count_from_one_without_gaps_in_every_request(data):
    from tests.ml.conftest import make_catalogue

    size = data.draw(st.integers(1, 30))
    request = sorted(data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)))
    track = data.draw(st.lists(st.integers(0, 5), min_size=size, max_size=size))
    score = data.draw(st.lists(st.floats(-5, 5, width=32), min_size=size, max_size=size))
    shown = apply_rules(
        np.array(request, np.int32),
        np.array(track, np.int32),
        np.array(score, np.float32),
        make_catalogue(6),
        PolicyRules(artist_cap=2),
        3,
    )
    for number in set(shown.request.tolist()):
        ranks = shown.rank[shown.request == number]
        assert ranks.tolist() == list(range(1, len(ranks) + 1))
        assert len(ranks) <= 3
