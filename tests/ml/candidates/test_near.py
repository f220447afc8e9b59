"""Inverted lists find what looking at everything finds, alike for one request and for many."""

import numpy as np
import pytest

from ml.candidates import near
from ml.candidates.bounds import best_products
from ml.candidates.content import SessionContent
from ml.candidates.near import NearLists
from ml.candidates.top import top_of_dense

TRACKS, WIDTH = 1_500, 12


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch):
    monkeypatch.setattr(near, "LISTED_FROM", 1_000)


def table(seed=0, *, even=True):
    """Rows around forty centres; not `even`: of lengths from .1 to 2."""
    draw = np.random.default_rng(seed)
    rows = draw.standard_normal((40, WIDTH))[draw.integers(0, 40, TRACKS)]
    rows += 0.3 * draw.standard_normal((TRACKS, WIDTH))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows * (1 if even else draw.uniform(0.1, 2, (TRACKS, 1)))).astype(np.float32)


def queries(rows, count=20, each=2):
    draw = np.random.default_rng(9)
    return rows[draw.integers(0, len(rows), (count, each))]


def exact(rows, asked, k):
    products = best_products(asked, rows)
    return top_of_dense((asked @ rows.T).max(axis=1), k, products)


def pairs(found):
    return set(zip(found.request.tolist(), found.track.tolist(), strict=True))


@pytest.mark.parametrize("even", [True, False])
def test_searching_every_list_is_looking_at_everything(even):
    rows = table(even=even)
    asked = queries(rows)
    lists = NearLists.make(rows, 7)
    found, wanted = lists.best(asked, rows, 30, searched=10_000), exact(rows, asked, 30)
    np.testing.assert_array_equal(found.track, wanted.track)
    np.testing.assert_allclose(found.score, wanted.score, atol=2.0**-17)


@pytest.mark.parametrize("even", [True, False])
def test_a_few_lists_hold_nearly_all_of_the_best(even):
    rows = table(even=even)
    asked = queries(rows)
    lists = NearLists.make(rows, 7)
    wanted = pairs(exact(rows, asked, 10))
    held = len(wanted & pairs(lists.best(asked, rows, 10, searched=12))) / len(wanted)
    fewer = len(wanted & pairs(lists.best(asked, rows, 10, searched=1))) / len(wanted)
    assert held > 0.95 > fewer


def test_one_request_finds_what_it_finds_among_many():
    rows = table()
    asked = queries(rows, count=230)
    lists = NearLists.make(rows, 7)
    whole = lists.best(asked, rows, 15, searched=5)
    for one in (0, 7, 205):
        found, own = lists.best(asked[one : one + 1], rows, 15, searched=5), whole.request == one
        assert found.track.tolist() == whole.track[own].tolist()
        np.testing.assert_array_equal(found.score, whole.score[own])


def test_few_tracks_are_not_divided():
    assert NearLists.make(table()[:900], 7) is None


def test_the_same_seed_makes_the_same_lists():
    first, again = (NearLists.make(table(), 3).arrays() for _ in range(2))
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_lists_follow_their_tracks_to_another_catalogue():
    rows = table()
    position = np.arange(TRACKS, dtype=np.int32)[::-1] + 5
    position[3] = -1
    moved = NearLists.restore(NearLists.make(rows, 7).arrays(), position.astype(np.int32))
    placed = np.zeros((TRACKS + 5, WIDTH), np.float32)
    placed[position[position >= 0]] = rows[position >= 0]
    asked = queries(rows)
    found = moved.best(asked, placed, 30, searched=10_000)
    assert pairs(found) == pairs(exact(placed, asked, 30))


def test_lists_of_the_version_before_are_read_still():
    rows = table()
    lists = NearLists.make(rows, 7)
    arrays = lists.arrays()
    del arrays["near_codes"], arrays["near_scale"]
    arrays["near_rows"] = rows[lists.track]
    arrays["near_centres"] = arrays["near_centres"].astype(np.float64)
    arrays["near_half"] = arrays["near_half"].astype(np.float64)
    again = NearLists.restore(arrays, np.arange(TRACKS, dtype=np.int32))
    assert pairs(again.best(queries(rows), rows, 9, 3)) == pairs(
        lists.best(queries(rows), rows, 9, 3)
    )


def test_codes_are_within_half_a_step_of_the_rows():
    rows = table()
    lists = NearLists.make(rows, 7)
    off = np.abs(lists.codes * lists.scale[:, None] - rows[lists.track])
    assert (off <= 0.5001 * lists.scale[:, None]).all()
    assert np.abs(lists.codes).max(axis=1).tolist() == [127] * TRACKS


def test_a_generator_stores_its_lists_and_searches_them_again():
    rows = table()
    made = SessionContent(rows, NearLists.make(rows, 7))
    identity = np.arange(TRACKS, dtype=np.int32)
    again = SessionContent.restore(made.arrays(), identity, TRACKS)
    assert "near_codes" in again.arrays()
    before, after = (one._best(queries(rows), 9, 3) for one in (made, again))
    assert pairs(before) == pairs(after)
    plain = SessionContent.restore({"vectors": rows}, identity, TRACKS)
    assert set(plain.arrays()) == {"vectors"}
