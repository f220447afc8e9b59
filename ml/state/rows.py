"""Sparse rows over items: what listeners play, what a session holds, what follows from it.

Belongs here: products and sums of rows, for many and for one alone alike. Does not belong here: what the
weights mean, or the loops themselves (ml.kernels).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.errors import SegueError

if TYPE_CHECKING:
    from ml.kernels.kinds import Matrix, Sparse

T = TypeVar("T", bound=np.generic)


class RowsError(SegueError):
    """A matrix is too large for the arrays that kernels take."""


def read_only(array: NDArray[T]) -> NDArray[T]:
    """The same memory, not to be written: a kernel's arrays are of one kind, mapped from a file or not."""
    view = array.view()
    view.setflags(write=False)
    return view


def matrix_of(matrix: sparse.csr_matrix) -> "Matrix":
    """A float32 CSR matrix as kernels take it, sharing its arrays.

    Raises:
        RowsError: it stores 2^31 values or more.
    """
    from ml.kernels.kinds import Matrix

    if matrix.indptr.dtype != np.int32:
        raise RowsError(
            f"expected fewer than 2^31 stored values in a matrix, found {matrix.nnz:,}; "
            "keep fewer neighbours a track"
        )
    return Matrix(
        read_only(matrix.indptr),
        read_only(matrix.indices),
        read_only(matrix.data.astype(np.float32, copy=False)),
    )


# What kernels return: ends of the rows, columns, values.
Found = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Rows:
    """n rows over `width` columns: `indptr` int64 (n + 1) into `column` int32 and `value` float32, above 0 each,
    no column twice in a row."""

    indptr: NDArray[np.int64]
    column: NDArray[np.int32]
    value: NDArray[np.float32]
    width: int

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def arrays(self) -> "Sparse":
        """The same rows as kernels take them."""
        from ml.kernels.kinds import Sparse

        return Sparse(read_only(self.indptr), read_only(self.column), read_only(self.value))

    def against(self, matrix: sparse.csr_matrix) -> "Matrix":
        """A matrix that these rows may be multiplied with, as kernels take it, which look at no bounds.

        Raises:
            RowsError: it has another number of rows than these have columns.
        """
        if matrix.shape[0] != self.width:
            raise RowsError(
                f"expected a matrix of {self.width} rows, found {matrix.shape[0]}: one of both is of another "
                "catalogue; run `segue run train`"
            )
        return matrix_of(matrix)

    def matrix(self) -> sparse.csr_matrix:
        """The same rows in SciPy's form, (n, width)."""
        return sparse.csr_matrix(
            (self.value, self.column, self.indptr), shape=(len(self), self.width)
        )

    def longest(self) -> int:
        """Entries of the longest row."""
        return int(np.diff(self.indptr).max(initial=0))

    def times(self, matrix: sparse.csr_matrix) -> "Rows":
        """The product with a float32 matrix (width, m): rows over its m columns."""
        from ml.kernels.scratch import scratch
        from ml.kernels.sparse import products

        other, start = self.against(matrix), matrix.indptr[self.column]
        terms = int((matrix.indptr[self.column + 1] - start).sum(dtype=np.int64))
        with scratch(matrix.shape[1]) as held:
            found = products(self.arrays(), other, terms, held)
        return rows_found(found, matrix.shape[1])

    def plus(self, other: "Rows", weight: float) -> "Rows":
        """These rows and `weight` times the others."""
        from ml.kernels.scratch import scratch
        from ml.kernels.sparse import sums

        with scratch(self.width) as held:
            found = sums(self.arrays(), other.arrays(), np.float32(weight), held)
        return rows_found(found, self.width)

    def times_at(
        self, matrix: sparse.csr_matrix, bounds: NDArray[np.int64], column: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """The product's values of each row at `column[bounds[row]:bounds[row + 1]]`, 0 where it has none."""
        from ml.kernels.scratch import scratch
        from ml.kernels.sparse import products_at

        with scratch(matrix.shape[1]) as held:
            found: NDArray[np.float32] = products_at(
                self.arrays(), self.against(matrix), read_only(bounds), read_only(column), held
            )
        return found

    def dense(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """The product with a dense table (width, d), float32 (n, d)."""
        from ml.kernels.sparse import dense_products

        found: NDArray[np.float32] = dense_products(self.arrays(), read_only(table))
        return found

    def strongest(self, k: int) -> "Rows":
        """The same rows with only the best `k` entries of each, ties to the smaller columns, which ascend."""
        from ml.kernels.scratch import scratch
        from ml.kernels.sparse import best_of_rows

        with scratch(self.longest()) as held:
            found = best_of_rows(self.arrays(), k, True, held)
        return rows_found(found, self.width)


def rows_found(found: Found, width: int) -> Rows:
    """Rows over `width` columns of what a kernel returned."""
    ends, column, value = found
    return Rows(ends, column, value, width)


def rows_of(matrix: sparse.csr_matrix) -> Rows:
    """Rows of a SciPy matrix, whatever it stores: entries that are not above 0 must not be added."""
    matrix = matrix.tocsr()
    return Rows(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32, copy=False),
        matrix.data.astype(np.float32, copy=False),
        matrix.shape[1],
    )


def bounds_of(request: NDArray[np.integer], size: int) -> NDArray[np.int64]:
    """Where each of `size` requests begins among ascending ones, and the end of all; int64 (size + 1)."""
    return np.searchsorted(request, np.arange(size + 1)).astype(np.int64, copy=False)
