"""The base of generators that learn nothing: all they need is in the state.

Belongs here: the empty half of the protocol. Does not belong here: scores.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from ml.candidates.generator import Arrays, FitInput


class Stateless:
    """A generator without fitted parts."""

    @classmethod
    def fit(cls, data: FitInput) -> Self:
        """Nothing to learn."""
        del data
        return cls()

    def arrays(self) -> Arrays:
        """Nothing to store."""
        return {}

    @classmethod
    def restore(cls, arrays: Arrays, position: NDArray[np.int32], tracks: int) -> Self:
        """Nothing to move."""
        del arrays, position, tracks
        return cls()
