"""Co-listen pairs, counted by hand."""

import numpy as np
import pytest

from ml.embeddings.pairs import co_listen_pairs


def pairs(track, session, user=None, maximum=100, seed=0, **options):
    session = np.asarray(session, dtype=np.int32)
    user = session if user is None else np.asarray(user, dtype=np.int32)
    played_at = np.arange(len(session), dtype=np.int64)
    found = co_listen_pairs(
        user, np.asarray(track, dtype=np.int32), played_at, session,
        seed=seed, maximum=maximum, **options,
    )  # fmt: skip
    assert found.dtype == np.int32
    return found.tolist()


def test_pairs_stay_within_a_session_and_the_gap():
    assert pairs([4, 2, 7, 1, 9, 3], [0, 0, 0, 0, 0, 1]) == [
        [1, 2], [1, 4], [1, 7], [1, 9], [2, 4], [2, 7], [2, 9], [4, 7], [7, 9],
    ]  # fmt: skip
    assert pairs([4, 2, 7], [0, 0, 0], max_gap=1) == [[2, 4], [2, 7]]


def test_repeats_unknown_tracks_and_other_users_make_no_pair():
    assert pairs([5, 5, 6, 5], [0, 0, 0, 0]) == [[5, 6]]
    assert pairs([5, -1, 6], [0, 0, 0], max_gap=1) == []
    assert pairs([5, 6], [0, 0], user=[0, 1]) == []


def test_no_listens_make_no_pairs():
    assert pairs([], []) == []
    assert pairs([3], [0]) == []


def test_thinning_keeps_the_number_asked_for_and_follows_the_seed():
    rng = np.random.default_rng(5)
    track, session = rng.integers(0, 60, 3000), np.repeat(np.arange(300), 10)
    every = pairs(track, session, maximum=10**6)
    drawn = pairs(track, session, maximum=200)
    assert len(drawn) == 200 < len(every)
    assert drawn == sorted(drawn)
    assert {tuple(pair) for pair in drawn} <= {tuple(pair) for pair in every}
    assert drawn == pairs(track, session, maximum=200)
    assert drawn != pairs(track, session, maximum=200, seed=1)


def test_thinning_takes_rare_pairs_before_hits():
    # Track 0 is heard with each of 1..400 once; 401..800 are heard in 200 pairs of their own.
    hit = np.stack([np.zeros(400), np.arange(1, 401)], axis=1)
    rare = np.arange(401, 801).reshape(200, 2)
    track = np.concatenate([hit, rare]).astype(np.int32).ravel()
    drawn = np.asarray(pairs(track, np.repeat(np.arange(600), 2), maximum=150))
    assert np.count_nonzero(drawn[:, 0] == 0) < 50


def test_unsorted_listens_are_refused():
    with pytest.raises(ValueError, match="sorted"):
        pairs([1, 2], [1, 0])
