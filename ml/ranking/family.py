"""A family of features: names, and what writes their columns.

Belongs here: where columns of a matrix go. Does not belong here: any feature.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Named = dict[str, NDArray[np.float32]]
# Where a family writes. A name of its own: what a nested function's annotation says is worked out each time.
Out = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Family:
    """`names` in the order of columns; `fill` writes float32 (names, rows), a column a row of memory, every
    place of it."""

    names: tuple[str, ...]
    fill: Callable[[Out], None]

    def columns(self, rows: int) -> Named:
        """The columns of `rows` rows by name."""
        values = filled([self], rows)[1]
        return dict(zip(self.names, values, strict=True))


def filled(families: Iterable[Family], rows: int) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """(names, float32 (names, rows)): all families one after the other, each written to its place."""
    families = list(families)
    names = tuple(chain.from_iterable(one.names for one in families))
    values = np.empty((len(names), rows), dtype=np.float32)
    done = 0
    for one in families:
        one.fill(values[done : done + len(one.names)])
        done += len(one.names)
    return names, values
