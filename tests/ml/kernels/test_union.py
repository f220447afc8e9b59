"""The union of lists, by hand."""

import numpy as np
import pytest

from ml.kernels.union import add, lowest, take_all, united

NAN = np.nan


@pytest.mark.parametrize("place", range(32))
def test_the_lowest_bit_is_found_in_every_place(place: int) -> None:
    assert lowest(np.uint64(1 << place)) == place
    assert lowest(np.uint64((0xFFFFFFFF << place) & 0xFFFFFFFF)) == place


def test_columns_put_in_in_any_order_come_out_once_and_ascending() -> None:
    width = 5_000
    words = (width + 31) // 32
    bits, column = np.zeros(width, np.uint32), np.zeros(9, np.int32)
    put = [4_999, 31, 0, 32, 1_024, 31, 2_047, 1_023]
    for one in put:
        add(bits, words, one)
    assert take_all(bits, words, column, 1) == 8
    assert column[1:8].tolist() == sorted(set(put))
    assert not bits.any()


def joined(lists: list[list[tuple[int, int, float]]], depths: list[int]) -> tuple[np.ndarray, ...]:
    """Lists of (request, track, score), best first, their ranks counted from 1 over the whole list."""
    rows = [row for one in lists for row in one]
    request, track = (np.array([row[at] for row in rows], np.int32) for at in (0, 1))
    score = np.array([row[2] for row in rows], np.float32)
    rank = np.array([at + 1 for one in lists for at in range(len(one))], np.int32)
    ends = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    width, most = max(int(track.max(initial=0)) + 1, 2), np.array(depths, np.int64)
    mark = np.zeros(width, np.int32)
    made = united(request, track, score, rank, ends, most, width, mark)
    assert not mark.any()
    return made


def test_what_is_within_a_depth_is_told_of_all_lists() -> None:
    lists = [[(0, 7, 0.9), (0, 2, 0.8), (0, 4, 0.7)], [(0, 4, 0.3), (0, 2, 0.2)]]
    request, track, score, rank = joined(lists, [1, 1])
    assert request.tolist() == [0, 0]
    assert track.tolist() == [4, 7]
    np.testing.assert_array_equal(score, np.float32([[0.7, 0.9], [0.3, NAN]]))
    np.testing.assert_array_equal(rank, [[3, 1], [1, NAN]])


def test_requests_are_united_each_by_itself() -> None:
    lists = [[(0, 1, 0.5), (2, 1, 0.4), (2, 0, 0.3)], [(1, 0, 0.2), (2, 0, 0.1)]]
    request, track, score, _ = joined(lists, [1, 1])
    assert request.tolist() == [0, 1, 2, 2]
    assert track.tolist() == [1, 0, 0, 1]
    wanted = [[0.5, NAN, 0.3, 0.4], [NAN, 0.2, 0.1, NAN]]
    np.testing.assert_array_equal(score, np.float32(wanted))


def test_a_list_of_depth_nothing_is_asked_all_the_same() -> None:
    lists = [[(0, 1, 0.5), (1, 1, 0.4)], [(1, 1, 0.2)]]
    request, track, score, _ = joined(lists, [0, 5])
    assert (request.tolist(), track.tolist()) == ([1], [1])
    np.testing.assert_array_equal(score, np.float32([[0.4], [0.2]]))


def test_of_no_lists_nothing_is_made() -> None:
    request, track, score, rank = joined([], [])
    assert len(request) == len(track) == 0
    assert score.shape == rank.shape == (0, 0)
