"""What the tracks of a running session lead to, by hand."""

import numpy as np

from ml.kernels.recent import best_of_artists, contexts, recent_tracks
from ml.kernels.scratch import scratch
from ml.state.rows import read_only

# The first session plays 5, 2, 5; the second nothing; the third 1.
ENDS = read_only(np.array([0, 3, 3, 4], np.int64))
TRACKS = read_only(np.array([5, 2, 5, 1], np.int32))


def test_recent_tracks_come_once_the_latest_first_with_all_their_weight():
    ends, track, weight = recent_tracks(ENDS, TRACKS, 3, np.float32(0.5))
    assert ends.tolist() == [0, 2, 2, 3]
    assert (track.tolist(), weight.tolist()) == ([5, 2, 1], [1.25, 0.5, 1.0])
    assert recent_tracks(ENDS, TRACKS, 2, np.float32(0.5))[2].tolist() == [1.0, 0.5, 1.0]


def test_contexts_are_the_known_pairs_that_a_session_ends_with():
    pairs = read_only(np.array([2 * 10 + 5, 5 * 10 + 5], np.int64))
    steps = read_only(np.array([[1, 0], [2, 0], [2, 1]], np.int64))
    weight = read_only(np.array([1.0, 0.5, 0.25], np.float32))
    ends, pair, weighed = contexts(ENDS, TRACKS, pairs, 10, steps, weight)
    assert ends.tolist() == [0, 3, 3, 3]
    assert (pair.tolist(), weighed.tolist()) == ([0, 1, 0], [1.0, 0.5, 0.25])


def test_tracks_of_the_artists_that_play_score_by_place_album_and_step_back():
    """Artist 0 has tracks 1, 2 and 3, best first; artist 1 track 5; track 4 has none. 2 and 3 share an album."""
    artist = np.array([-1, 0, 0, 0, -1, 1], np.int32)
    album = np.array([-1, 7, 8, 8, -1, -1], np.int32)
    indptr, tracks = np.array([0, 3, 4], np.int64), np.array([1, 2, 3, 5], np.int32)
    catalogue = tuple(read_only(one) for one in (artist, album, indptr, tracks))
    half, double = np.float32(0.5), np.float32(2)
    with scratch(6) as held:
        ends, track, score = best_of_artists(ENDS, TRACKS, catalogue, 2, half, double, 3, held)
        assert not held.total.any()
    assert ends.tolist() == [0, 3, 3, 6]
    # The latest, 5, counts whole; 2, a step back, half: 1 scores .5, 2 twice .5 / root 2, 3 twice .5 / root 3.
    assert track.tolist() == [5, 2, 3, 1, 2, 3]
    np.testing.assert_allclose(score[:3], [1.0, 1 / np.sqrt(2), 1 / np.sqrt(3)], rtol=1e-6)
    np.testing.assert_allclose(score[3:], [2.0, 1 / np.sqrt(2), 1 / np.sqrt(3)], rtol=1e-6)
