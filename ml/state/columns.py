"""Named columns of numbers over rows, and over sparse (user, item) pairs.

Belongs here: storage, decay to a later day and look-ups. Does not belong here: what the columns
mean for a recommendation (ml.ranking) or where they come from (ml.state.read).
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.state.rows import Rows, read_only, rows_found

_HALF_LIFE = re.compile(r"_h(\d+)$")


@dataclass(frozen=True, slots=True)
class Columns:
    """float32 columns over n rows: `values` has shape (columns, n), one contiguous row a column."""

    names: tuple[str, ...]
    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.values.shape[0] != len(self.names):
            raise ValueError(f"{len(self.names)} names for {self.values.shape[0]} columns")

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.values.shape[1])

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        column: NDArray[np.float32] = self.values[self.names.index(name)]
        return column

    def later(self, days: int) -> "Columns":
        """The same columns `days` later, without new listens.

        A name ending in `_h<H>` is a sum that halves every H days, one ending in `_age` is a time
        in days since an event, every other column is a count and stays.
        """
        if days == 0:
            return self
        values = np.array(self.values)
        for row, name in enumerate(self.names):
            half_life = _HALF_LIFE.search(name)
            if half_life:
                values[row] *= np.float32(2.0 ** (-days / int(half_life.group(1))))
            elif name.endswith("_age"):
                values[row] += np.float32(days)
        return Columns(self.names, values)


@dataclass(frozen=True, slots=True)
class PairTable:
    """Columns over (user, item) pairs, items ascending within a user (compressed sparse rows).

    `indptr` int64 (users + 1), `item` int32 (pairs), `columns` over pairs, `items` the number of
    distinct items that `item` may name.
    """

    indptr: NDArray[np.int64]
    item: NDArray[np.int32]
    columns: Columns
    items: int

    def later(self, days: int) -> "PairTable":
        """The same pairs `days` later, without new listens."""
        if days == 0:
            return self
        return PairTable(self.indptr, self.item, self.columns.later(days), self.items)

    def find(self, user: NDArray[np.int32], item: NDArray[np.int32]) -> NDArray[np.int64]:
        """Position of each (user, item) pair, -1 where there is none or either is -1."""
        from ml.kernels.look_up import find

        position: NDArray[np.int64] = find(self.indptr, self.item, user, item)
        return position

    def rows(self, name: str, user: NDArray[np.int32]) -> Rows:
        """A column of each of the given users' pairs, rows over items; users who have none (-1) get empty rows."""
        from ml.kernels.listeners import taken

        found = taken(
            read_only(self.indptr),
            read_only(self.item),
            read_only(self.columns[name]),
            read_only(user),
        )
        return rows_found(found, self.items)

    def span(self, user: int) -> tuple[int, int]:
        """Where a user's pairs begin and end; nowhere for -1 and users beyond the last."""
        if not 0 <= user < len(self.indptr) - 1:
            return 0, 0
        return int(self.indptr[user]), int(self.indptr[user + 1])

    def value(self, name: str, position: NDArray[np.int64]) -> NDArray[np.float32]:
        """A column at positions from `find`, 0 where there is no pair."""
        if not self.columns.rows:
            return np.zeros(len(position), dtype=np.float32)
        found = self.columns[name][np.maximum(position, 0)]
        return np.where(position >= 0, found, np.float32(0)).astype(np.float32)

    def take(self, user: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All pairs of the given users: (index into `user`, position of the pair), in order."""
        if len(user) == 1:
            position = np.arange(*self.span(int(user[0])), dtype=np.int64)
            return np.zeros(len(position), dtype=np.int64), position
        known = (user >= 0) & (user < len(self.indptr) - 1)
        row = np.where(known, user, 0)
        start = self.indptr[row]
        count = np.where(known, self.indptr[np.minimum(row + 1, len(self.indptr) - 1)] - start, 0)
        owner = np.repeat(np.arange(len(user), dtype=np.int64), count)
        offset = np.arange(len(owner), dtype=np.int64) - np.repeat(np.cumsum(count) - count, count)
        return owner, np.repeat(start, count) + offset
