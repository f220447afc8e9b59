"""What is done for a single request is what is done for it among others."""

import numpy as np
import pytest
from scipy import sparse

from ml.candidates.bounds import best_products
from ml.candidates.top import stack, top_of_dense, top_of_rows, top_of_sparse
from ml.state.columns import Columns, PairTable


def rows(seed: int, count: int = 6, width: int = 40) -> sparse.csr_matrix:
    """Rows of few distinct values, zero and negative ones among them: ties everywhere."""
    rng = np.random.default_rng(seed)
    dense = rng.integers(-2, 4, (count, width)).astype(np.float32)
    return sparse.csr_matrix(dense * (rng.random((count, width)) < 0.7))


@pytest.mark.parametrize("k", [1, 3, 10, 100])
@pytest.mark.parametrize("seed", range(5))
def test_the_best_of_one_row_are_its_best_among_many(seed, k):
    matrix = rows(seed)
    # Products come with unsorted columns.
    shuffled = matrix[:, ::-1].tocsr()[:, ::-1]
    whole = top_of_rows(matrix, k)
    for row in range(matrix.shape[0]):
        alone = top_of_rows(shuffled[row], k)
        assert (alone != whole[row]).nnz == 0
        assert alone.has_sorted_indices


@pytest.mark.parametrize("k", [1, 3, 10, 100])
def test_candidates_of_one_row_are_its_candidates_among_many(k):
    matrix = rows(9)
    whole = top_of_sparse(matrix, k)
    for row in range(matrix.shape[0]):
        alone, own = top_of_sparse(matrix[row], k), whole.request == row
        for name in ("track", "score", "rank"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(whole, name)[own])


@pytest.mark.parametrize("k", [1, 5, 40])
@pytest.mark.parametrize("steps", [2.0**-20, 2.0**-18, 0.25])
def test_the_best_of_one_dense_row_are_its_best_among_many(steps, k):
    rng = np.random.default_rng(4)
    scores = (rng.integers(-50, 50, (5, 1_003)) * steps).astype(np.float32)
    whole = top_of_dense(scores, k)
    for row in range(len(scores)):
        alone, own = top_of_dense(scores[row : row + 1], k), whole.request == row
        for name in ("track", "score", "rank"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(whole, name)[own])


def test_pairs_of_one_listener_are_found_as_among_many():
    rng = np.random.default_rng(3)
    held = [np.unique(rng.integers(0, 30, size)) for size in (0, 1, 9)]
    indptr = np.concatenate([[0], np.cumsum([len(one) for one in held])]).astype(np.int64)
    item = np.concatenate(held).astype(np.int32)
    pairs = PairTable(indptr, item, Columns((), np.zeros((0, len(item)), np.float32)), 30)
    wanted = np.arange(-1, 31, dtype=np.int32)
    users = np.array([-1, 0, 1, 2, 3], np.int32)
    together = pairs.find(np.repeat(users, len(wanted)), np.tile(wanted, len(users)))
    for place, user in enumerate(users):
        alone = pairs.find(np.full(len(wanted), user, np.int32), wanted)
        part = slice(place * len(wanted), (place + 1) * len(wanted))
        np.testing.assert_array_equal(alone, together[part])


def of_products(left, right, k, *, exactly):
    """The best of a block, and of each of its requests alone."""
    exact = best_products(left[:, None, :], right) if exactly else None
    whole = top_of_dense(left @ right.T, k, exact)
    alone = []
    for row in range(len(left)):
        exact = best_products(left[[row], None, :], right) if exactly else None
        alone.append(top_of_dense((right @ left[row])[None], k, exact))
    return whole, stack(alone, list(range(len(left))))


def test_products_of_dense_matrices_are_alike_for_one_request_and_for_many():
    draw = np.random.default_rng(3)
    left, right = (draw.standard_normal((n, 64)).astype(np.float32) for n in (300, 2_000))
    left, right = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (left, right))
    whole, alone = of_products(left, right, 60, exactly=True)
    np.testing.assert_array_equal(whole.score, alone.score)
    np.testing.assert_array_equal(whole.track, alone.track)
    whole, alone = of_products(left, right, 60, exactly=False)
    assert not np.array_equal(whole.score, alone.score)


def test_the_best_products_are_those_of_every_pair():
    draw = np.random.default_rng(5)
    left, right = draw.standard_normal((4, 3, 8)), draw.standard_normal((50, 8))
    whole = np.einsum("rqd,td->rqt", left, right).max(axis=1).astype(np.float32)
    found = top_of_dense(whole, 7, best_products(left, right))
    for row in range(4):
        wanted = np.sort(whole[row])[::-1][:7]
        np.testing.assert_allclose(found.score[found.request == row], wanted, atol=2.0**-18)
