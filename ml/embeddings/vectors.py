"""Vectors of tracks: encoded once, and again only when something changed.

Belongs here: deciding what to encode, and vectors as a table or a matrix. Does not belong here: the
encoder itself or neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.embeddings.encoder import Encoder


@dataclass(frozen=True, slots=True)
class EncodedVectors:
    """`table`: track_id, content_hash, encoder_version, vector (fixed_size_list<float32>).

    `encoded` documents were encoded now, `reused` kept their earlier vector.
    """

    table: pa.Table
    encoded: int
    reused: int


def vector_values(table: pa.Table) -> NDArray[np.float32]:
    """The vectors of `table` as float32 (n, d), in its order."""
    dimension = table.schema.field("vector").type.list_size
    flat = table["vector"].combine_chunks().flatten()
    return np.asarray(flat, dtype=np.float32).reshape(-1, dimension)


def _earlier(documents: pa.Table, previous: pa.Table | None, encoder: Encoder) -> NDArray[np.int64]:
    """Row of `previous` whose vector still holds for each document, -1 where none does."""
    if previous is None or len(previous) == 0:
        return np.full(len(documents), -1, dtype=np.int64)
    ids = previous["track_id"].combine_chunks()
    row = np.asarray(pc.fill_null(pc.index_in(documents["track_id"], value_set=ids), -1))
    hashes = pc.equal(
        previous["content_hash"].take(pa.array(np.maximum(row, 0))), documents["content_hash"]
    )
    current = np.asarray(pc.equal(previous["encoder_version"], encoder.version))
    holds = (row >= 0) & np.asarray(hashes) & current[np.maximum(row, 0)]
    return np.where(holds, row, -1).astype(np.int64)


def encode_changed(
    documents: pa.Table, previous: pa.Table | None, encoder: Encoder
) -> EncodedVectors:
    """Vectors of all `documents`, in their order; `previous` is an earlier table of vectors.

    A document is encoded when its track is new, its content hash changed, or the vector at hand is
    of another encoder version.
    """
    earlier = _earlier(documents, previous, encoder)
    changed = np.flatnonzero(earlier < 0)
    values = np.zeros((len(documents), encoder.dimension), dtype=np.float32)
    if previous is not None and len(changed) < len(documents):
        values[earlier >= 0] = vector_values(previous)[earlier[earlier >= 0]]
    if len(changed):
        values[changed] = encoder.encode(documents["document"].take(pa.array(changed)).to_pylist())
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), encoder.dimension)
    table = pa.table(
        {
            "track_id": documents["track_id"],
            "content_hash": documents["content_hash"],
            "encoder_version": pa.repeat(pa.scalar(encoder.version, pa.string()), len(documents)),
            "vector": vectors,
        }
    )
    return EncodedVectors(table, len(changed), len(documents) - len(changed))


def matrix(
    table: pa.Table, track_ids: pa.Array | pa.ChunkedArray | Sequence[str]
) -> NDArray[np.float32]:
    """Vectors (n, d) aligned to `track_ids`, zeros where the table has none."""
    wanted = (
        track_ids
        if isinstance(track_ids, pa.Array | pa.ChunkedArray)
        else pa.array(track_ids, pa.string())
    )
    values = vector_values(table)
    known = table["track_id"].combine_chunks()
    row = np.asarray(pc.fill_null(pc.index_in(wanted, value_set=known), -1), dtype=np.int64)
    aligned = np.zeros((len(row), values.shape[1]), dtype=np.float32)
    aligned[row >= 0] = values[row[row >= 0]]
    return aligned
