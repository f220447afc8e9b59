"""The union of candidates: who proposed what, and what the others think of it."""

import numpy as np

from ml.candidates.generator import Candidates
from ml.candidates.merge import merge
from ml.candidates.recall import recall_table


def listed(*tracks: int) -> Candidates:
    """One request's list, best first, scores falling from 1."""
    size = len(tracks)
    return Candidates(
        np.zeros(size, np.int32),
        np.array(tracks, np.int32),
        np.linspace(1.0, 0.5, size).astype(np.float32),
        np.arange(1, size + 1, dtype=np.int32),
    )


def test_only_tracks_within_a_generators_depth_enter_the_pool() -> None:
    pool = merge({"a": listed(4, 2, 9), "b": listed(7)}, {"a": 2, "b": 1})
    assert pool.track.tolist() == [2, 4, 7]


def test_a_generator_is_asked_about_the_others_tracks_beyond_its_depth() -> None:
    pool = merge({"a": listed(4, 2, 9), "b": listed(9)}, {"a": 1, "b": 1})
    assert pool.track.tolist() == [4, 9]
    np.testing.assert_array_equal(pool.rank[0], [1, 3])
    np.testing.assert_array_equal(np.isnan(pool.rank[1]), [True, False])


def test_where_tracks_are_left_out_the_next_ones_take_their_places_and_keep_their_ranks() -> None:
    heard = np.array([4, 2])
    whole = listed(4, 2, 9, 7)
    left = whole.select(np.flatnonzero(~np.isin(whole.track, heard)))
    pool = merge({"a": left}, {"a": 1})
    assert pool.track.tolist() == [9]
    assert pool.rank[0].tolist() == [3.0]


def test_nothing_from_nobody_is_an_empty_pool() -> None:
    pool = merge({"a": listed()}, {"a": 5})
    assert len(pool.track) == 0


def test_a_track_beyond_a_generators_depth_is_not_found_by_it() -> None:
    pool = merge({"a": listed(4, 9), "b": listed(9)}, {"a": 1, "b": 1})
    most = {"a": 1, "b": 1}
    played = (np.zeros(1, np.int32), np.array([9], np.int32))
    table = recall_table(pool, *played, requests=1, most=most).to_pylist()
    assert [row["recall"] for row in table] == [0.0, 1.0, 1.0]
    assert [row["marginal"] for row in table[:2]] == [0.0, 1.0]
    assert [row["candidates"] for row in table] == [1.0, 1.0, 2.0]


def test_one_request_is_merged_as_it_is_among_many() -> None:
    """Two requests take the long way, either alone the short one."""
    draw = np.random.default_rng(5)

    def proposed(count: int) -> Candidates:
        track = np.concatenate([draw.permutation(90)[:count] for _ in range(2)]).astype(np.int32)
        request = np.repeat(np.arange(2, dtype=np.int32), count)
        rank = np.tile(np.arange(1, count + 1, dtype=np.int32), 2)
        return Candidates(request, track, (1 / rank).astype(np.float32), rank)

    parts = {"a": proposed(20), "b": proposed(50), "c": proposed(5)}
    depths = {"a": 10, "b": 20, "c": 5}
    whole = merge(parts, depths)
    for asked in range(2):
        own = {
            name: part.select(np.flatnonzero(part.request == asked)) for name, part in parts.items()
        }
        moved = {
            name: Candidates(part.request * 0, part.track, part.score, part.rank)
            for name, part in own.items()
        }
        alone, same = merge(moved, depths), np.flatnonzero(whole.request == asked)
        np.testing.assert_array_equal(alone.track, whole.track[same])
        np.testing.assert_array_equal(alone.score, whole.score[:, same])
        np.testing.assert_array_equal(alone.rank, whole.rank[:, same])
