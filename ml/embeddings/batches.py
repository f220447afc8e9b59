"""The batches an encoder is trained on.

Belongs here: which texts stand opposite each other, and with which fields. Does not belong here:
the loss or the weights.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ml.embeddings.tokens import MAXIMUM_FIELDS, DocumentTokens

# ids and offsets of a torch EmbeddingBag
Bags = tuple[NDArray[np.int64], NDArray[np.int64]]

FIELD_DROP = 0.3


def _first_occurrence(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    first = np.zeros(len(values), dtype=np.bool_)
    first[np.unique(values, return_index=True)[1]] = True
    return first


def _views(rng: np.random.Generator, search: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fields kept: each with probability 1 - FIELD_DROP; one field alone where `search`."""
    keep = rng.random((len(search), MAXIMUM_FIELDS)) >= FIELD_DROP
    alone = np.arange(MAXIMUM_FIELDS) == rng.integers(0, MAXIMUM_FIELDS, len(search))[:, None]
    return np.where(search[:, None], alone, keep)


def epoch_batches(
    tokens: DocumentTokens,
    pairs: NDArray[np.int32],
    batch: int,
    rng: np.random.Generator,
) -> Iterator[tuple[Bags, Bags]]:
    """One epoch of (anchors, positives): co-listens in random direction, and views of one track.

    A view pairs a document with itself, fields dropped on both sides; half of the views have a
    single field as anchor, which is what a text search looks like. Dropping fields keeps the
    artist's name from being the only thing learned. As every other positive of a batch counts as a
    negative, no document stands twice on a side of a batch: the later ones wait for another epoch.
    """
    documents = np.flatnonzero(np.diff(tokens.indptr) > 0)
    with_text = np.diff(tokens.indptr) > 0
    pairs = pairs[with_text[pairs].all(axis=1)]
    views = np.stack([documents, documents], axis=1)
    rows = np.concatenate([pairs.astype(np.int64), views])
    swapped = rng.random(len(rows)) < 0.5
    rows = np.where(swapped[:, None], rows[:, ::-1], rows)
    order = rng.permutation(len(rows))
    for start in range(0, len(order), batch):
        taken = rows[order[start : start + batch]]
        taken = taken[_first_occurrence(taken[:, 0]) & _first_occurrence(taken[:, 1])]
        if len(taken) < 2:
            continue
        is_view = taken[:, 0] == taken[:, 1]
        search = is_view & (rng.random(len(taken)) < 0.5)
        anchors = tokens.bags(taken[:, 0], _views(rng, search))
        positives = tokens.bags(taken[:, 1], _views(rng, np.zeros_like(search)))
        yield anchors, positives
