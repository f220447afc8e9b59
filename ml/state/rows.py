"""Sparse rows over items: what listeners play, what a session holds, what follows from it.

Belongs here: products and sums of rows, for many at once and for one alone. Does not belong here: what
the weights mean, or matrices that are fitted (SciPy's own).

A request online is a single row. SciPy checks and copies for 40 to 100 us at every step of a product,
whatever its size; a single row is multiplied here in NumPy, term by term in SciPy's order, so that both
ways give the same bits.
"""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

# A row that has more terms than this share of the width is looked through whole, not sorted.
_SPARSE = 32
_HELD = threading.local()


@dataclass(frozen=True, slots=True)
class Rows:
    """n rows over `width` columns: `indptr` int64 (n + 1) into `column` int32 and `value` float32, no
    column twice in a row; the columns of a single row ascend."""

    indptr: NDArray[np.int64]
    column: NDArray[np.int32]
    value: NDArray[np.float32]
    width: int

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def matrix(self) -> sparse.csr_matrix:
        """The same rows in SciPy's form, (n, width)."""
        return sparse.csr_matrix(
            (self.value, self.column, self.indptr), shape=(len(self), self.width)
        )

    def times(self, matrix: sparse.csr_matrix) -> "Rows":
        """The product with a float32 matrix (width, m): rows over its m columns."""
        if len(self) != 1:
            return rows_of(self.matrix() @ matrix)
        start = matrix.indptr[self.column]
        count = matrix.indptr[self.column + 1] - start
        place = (start - count.cumsum() + count).repeat(count)
        place += np.arange(len(place), dtype=place.dtype)
        value = matrix.data[place]
        value *= self.value.repeat(count)
        return summed(matrix.indices[place], value, matrix.shape[1])

    def plus(self, other: "Rows", weight: float) -> "Rows":
        """These rows and `weight` times the others."""
        if len(self) != 1:
            return rows_of(self.matrix() + weight * other.matrix())
        total = _zeros(self.width)
        total[self.column] = self.value
        total[other.column] += np.float32(weight) * other.value
        return _taken(total, _looked_through(total, self.width), self.width)

    def at(self, row: NDArray[np.int64], column: NDArray[np.int32]) -> NDArray[np.float32]:
        """The values at (row, column), 0 where nothing is stored."""
        if len(self) != 1:
            # A sparse matrix indexed with nothing is sparse again, not an empty row.
            found = self.matrix()[row, column] if len(row) else np.zeros(0)
            return np.asarray(found, dtype=np.float32).ravel()
        if not len(self.column):
            return np.zeros(len(column), dtype=np.float32)
        place = np.minimum(np.searchsorted(self.column, column), len(self.column) - 1)
        return np.where(self.column[place] == column, self.value[place], np.float32(0))

    def filled(self) -> NDArray[np.float32]:
        """All columns, float32 (n, width)."""
        if len(self) != 1:
            return np.asarray(self.matrix().todense(), dtype=np.float32)
        whole = np.zeros((1, self.width), dtype=np.float32)
        whole[0, self.column] = self.value
        return whole

    def dense(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """The product with a dense table (width, d), float32 (n, d)."""
        if len(self) != 1:
            return np.asarray(self.matrix() @ table, dtype=np.float32)
        row: NDArray[np.float32] = np.einsum("l,ld->d", self.value, table[self.column])
        return row[None, :]


def rows_of(matrix: sparse.csr_matrix) -> Rows:
    """Rows of a SciPy matrix of no or several rows."""
    matrix = matrix.tocsr()
    return Rows(matrix.indptr.astype(np.int64), matrix.indices, matrix.data, matrix.shape[1])


def one_row(column: NDArray[np.int32], value: NDArray[np.float32], width: int) -> Rows:
    """A single row; columns ascend."""
    return Rows(np.array([0, len(column)], dtype=np.int64), column, value, width)


def summed(column: NDArray[np.integer], value: NDArray[np.float32], width: int) -> Rows:
    """One row from terms in their order, equal columns added one after the other."""
    total = _zeros(width)
    np.add.at(total, column, value)
    if len(column) * _SPARSE > width:
        return _taken(total, _looked_through(total, width), width)
    ordered = np.sort(column)
    first = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return _taken(total, ordered[first].astype(np.int32, copy=False), width)


def _zeros(width: int) -> NDArray[np.float32]:
    """At least `width` zeros, taken out while in use: after an error the next call begins with zeros."""
    total: NDArray[np.float32] | None = _HELD.__dict__.pop("zeros", None)
    return np.zeros(width, dtype=np.float32) if total is None or len(total) < width else total


def _looked_through(total: NDArray[np.float32], width: int) -> NDArray[np.int32]:
    # The places of truths are found eight times as fast as those of floats.
    found: NDArray[np.int32] = (total[:width] != 0).nonzero()[0].astype(np.int32)
    return found


def _taken(total: NDArray[np.float32], found: NDArray[np.int32], width: int) -> Rows:
    """The row of what was summed at `found`, all that is not zero; the zeros are put back."""
    values = total[found]
    total[found] = 0
    _HELD.zeros = total
    return one_row(found, values, width)


def places_among(
    known: NDArray[np.int32], sought: NDArray[np.int32], width: int
) -> NDArray[np.int32]:
    """Where each of `sought` stands in `known`, -1 where it does not; int32, all below `width`.

    `known` are distinct. Marks in an array of the whole width instead of a sort and a search: 2,000 sought
    among 500 take 9 us, not 90.
    """
    marks = _HELD.__dict__.pop("places", None)
    if marks is None or len(marks) < width:
        marks = np.full(width, -1, dtype=np.int32)
    marks[known] = np.arange(len(known), dtype=np.int32)
    found: NDArray[np.int32] = marks[sought]
    marks[known] = -1
    _HELD.places = marks
    return found
