"""Loops over a listener's own pairs, by hand."""

import numpy as np

from ml.kernels.listeners import latest, memories, taken
from ml.state.rows import read_only

# Listener 0 has tracks 1, 4, 6; listener 1 none; listener 2 track 3.
ENDS = read_only(np.array([0, 3, 3, 4], np.int64))
TRACKS = read_only(np.array([1, 4, 6, 3], np.int32))
AGES = read_only(np.array([5.0, 2.0, 2.0, 9.0], np.float32))


def users(*user):
    return read_only(np.array(user, np.int32))


def test_pairs_of_listeners_come_one_after_the_other_and_of_strangers_none():
    ends, item, value = taken(ENDS, TRACKS, AGES, users(2, -1, 7, 1, 0))
    assert ends.tolist() == [0, 1, 1, 1, 1, 4]
    assert (item.tolist(), value.tolist()) == ([3, 1, 4, 6], [9.0, 5.0, 2.0, 2.0])


def test_a_memory_is_a_weighted_sum_that_skips_lower():
    values = read_only(np.array([[1, 2, 0, 4], [0, 1, 0, 0], [0, 2, 0, 0]], np.float32))
    weight = read_only(np.array([0.5, 2.0, 0.0], np.float32))
    found = memories(ENDS, TRACKS, values, weight, 2, np.float32(0.5), users(0, 2))
    assert found[0].tolist() == [0, 3, 4]
    assert found[1].tolist() == [1, 4, 6, 3]
    assert found[2].tolist() == [0.5, (1.0 + 2.0) / 2.0, 0.0, 2.0]


def day(*lists):
    """Each request's (track, skipped) of the day, oldest first."""
    ends = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    track = np.array([track for one in lists for track, _ in one], np.int32)
    skipped = np.array([skipped for one in lists for _, skipped in one], np.bool_)
    return tuple(read_only(array) for array in (ends, track, skipped))


def of(user, listens, most):
    ends, track = latest(ENDS, TRACKS, AGES, users(user), *day(listens), most)
    assert ends.tolist() == [0, len(track)]
    return track.tolist()


def test_the_latest_tracks_stand_last_and_equal_ages_in_falling_order():
    assert of(0, [], 3) == [1, 6, 4]
    assert of(0, [], 2) == [6, 4]
    assert of(-1, [], 2) == []


def test_the_days_streams_are_younger_than_all_before_and_skips_do_not_count():
    assert of(0, [(9, False), (8, True), (7, False)], 4) == [6, 4, 9, 7]


def test_a_track_of_the_day_stands_once_where_it_was_played_last():
    assert of(0, [(6, False), (9, False), (6, False)], 4) == [1, 4, 9, 6]
    assert of(-1, [(5, False), (2, False), (5, False)], 1) == [5]
