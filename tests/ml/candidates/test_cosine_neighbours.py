"""Neighbours of tracks are those of the formula, the best of each, never the track itself."""

import numpy as np
import pytest
from scipy import sparse

from ml.candidates.item_item import cosine_neighbours


def by_formula(rows, shrink, own):
    """s_ij = <x_i, x_j> / (|x_i|^2own |x_j|^(2 - 2own) + shrink), 0 on the diagonal."""
    dense = rows.toarray().astype(np.float64)
    square = (dense**2).sum(axis=0)
    score = dense.T @ dense / (np.outer(square**own, square ** (1 - own)) + shrink)
    np.fill_diagonal(score, 0.0)
    return score


@pytest.mark.parametrize("own", [0.5, 0.8])
@pytest.mark.parametrize("tracks", [3, 150])
def test_neighbours_are_those_of_the_formula(own, tracks):
    rows = sparse.random(
        40, tracks, 0.2, format="csr", dtype=np.float32, random_state=np.random.default_rng(2)
    )
    found = cosine_neighbours(rows, shrink=2.0, own=own, neighbours=tracks)
    assert found.has_sorted_indices
    np.testing.assert_allclose(found.toarray(), by_formula(rows, 2.0, own), rtol=1e-5)
    best = cosine_neighbours(rows, shrink=2.0, own=own, neighbours=2)
    wanted = -np.sort(-by_formula(rows, 2.0, own), axis=1)[:, :2]
    assert np.diff(best.indptr).max() == 2
    kept = -np.sort(-best.toarray(), axis=1)[:, :2]
    np.testing.assert_allclose(kept, wanted, rtol=1e-5)


def test_without_tracks_there_are_no_neighbours():
    assert cosine_neighbours(sparse.csr_matrix((3, 0), dtype=np.float32), shrink=1.0).shape == (
        0,
        0,
    )
