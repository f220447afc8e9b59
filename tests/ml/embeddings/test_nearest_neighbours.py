"""Neighbours against brute force, with ties, exclusions and empty vectors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ml.embeddings.neighbours import nearest, unit


def brute(queries, vectors, k, exclude):
    indices, scores = [], []
    for row, query in enumerate(unit(queries)):
        cosine = [float(query @ other) for other in unit(vectors)]
        answers = sorted(
            (-round(value, 5), column)
            for column, value in enumerate(cosine)
            if vectors[column].any() and query.any() and column != exclude[row]
        )[:k]
        pad = k - len(answers)
        indices.append([column for _, column in answers] + [-1] * pad)
        scores.append([cosine[column] for _, column in answers] + [0.0] * pad)
    return indices, scores


@st.composite
def searches(draw):
    # Few small whole numbers: many equal directions, hence many ties, and zero vectors.
    width = draw(st.integers(1, 3))
    coordinates = st.integers(-1, 1).map(float)
    shape = st.tuples(st.integers(1, 12), st.just(width))
    vectors = draw(arrays.arrays(np.float32, draw(shape), elements=coordinates))
    queries = draw(arrays.arrays(np.float32, draw(shape), elements=coordinates))
    exclude = draw(
        arrays.arrays(np.int32, len(queries), elements=st.integers(-1, len(vectors) - 1))
    )
    return queries, vectors, draw(st.integers(1, 14)), exclude


@given(searches(), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_agrees_with_brute_force_for_every_block(search, block):
    queries, vectors, k, exclude = search
    indices, scores = nearest(queries, vectors, k, exclude=exclude, block=block)
    expected, cosines = brute(queries, vectors, k, exclude)
    assert indices.tolist() == expected
    np.testing.assert_allclose(scores, cosines, atol=1e-6)
    assert (indices.dtype, scores.dtype) == (np.int32, np.float32)


def test_random_vectors_agree_with_a_full_sort():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((500, 16)).astype(np.float32)
    indices, scores = nearest(vectors[:40], vectors, 25, exclude=np.arange(40, dtype=np.int32))
    cosine = (unit(vectors[:40]) @ unit(vectors).T).astype(np.float64)
    cosine[np.arange(40), np.arange(40)] = -2
    expected = np.argsort(-cosine, axis=1, kind="stable")[:, :25]
    assert indices.tolist() == expected.tolist()
    np.testing.assert_allclose(scores, np.take_along_axis(cosine, expected, axis=1), atol=2e-6)


def test_equal_vectors_come_in_index_order_whatever_the_block():
    rng = np.random.default_rng(1)
    vectors = np.repeat(rng.standard_normal((7, 128)).astype(np.float32), 30, axis=0)
    first, _ = nearest(vectors, vectors, 10, block=1)
    for block in (3, 64, 1000):
        again, _ = nearest(vectors, vectors, 10, block=block)
        assert again.tolist() == first.tolist()
    assert first[0].tolist() == list(range(10))
    assert first[45].tolist() == list(range(30, 40))


@pytest.mark.parametrize("queries", [0, 2])
def test_nothing_to_search_answers_nothing(queries):
    asked = np.ones((queries, 4), dtype=np.float32)
    indices, scores = nearest(asked, np.zeros((0, 4), dtype=np.float32), 3)
    assert indices.shape == scores.shape == (queries, 3)
    assert (indices == -1).all()
