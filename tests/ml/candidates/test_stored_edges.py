"""A walk's strongest edges are stored with it and follow it to another catalogue."""

import numpy as np
import pytest
from scipy import sparse

from ml.candidates.transitions import Walk

TRACKS = 90


@pytest.fixture
def walk():
    draw = np.random.default_rng(2)
    return Walk(
        sparse.random(TRACKS, TRACKS, 0.9, format="csr", dtype=np.float32, random_state=draw)
    )


def edges(walk):
    return walk._edges.toarray()


@pytest.mark.parametrize("position", [np.arange(TRACKS), np.arange(TRACKS)[::-1] + 4])
def test_stored_edges_are_those_that_would_be_chosen(walk, position):
    stored = walk.arrays()
    moved = Walk.restore(stored, position.astype(np.int32), TRACKS + 4)
    assert "_edges" in vars(moved)
    plain = {name: stored[name] for name in ("data", "indices", "indptr")}
    chosen = Walk.restore(plain, position.astype(np.int32), TRACKS + 4)
    np.testing.assert_array_equal(edges(moved), edges(chosen))
    assert 0 < np.count_nonzero(edges(moved)) < walk.relation.nnz


def test_where_tracks_are_gone_the_edges_are_chosen_again(walk):
    position = np.arange(TRACKS, dtype=np.int32)
    position[:20] = -1
    moved = Walk.restore(walk.arrays(), position, TRACKS)
    assert "_edges" not in vars(moved)
    assert (np.count_nonzero(edges(moved), axis=1)[20:] >= 55).all()
