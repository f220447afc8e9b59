"""The power law of forgetting as a mixture of exponentials.

Belongs here: weights that turn sums decayed by half-lives into base-level activation, and what skips take
from it. Does not belong here: which exponent is right (forgetting), candidates.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ml.state.columns import Columns
from ml.tables import HALF_LIVES

# Exponents of forgetting that a fit chooses among, and the one that stays where none is shown to be better:
# .8 beats .5 and 1.2 on personal listening histories.
EXPONENTS = (0.5, 0.8, 1.1)
EXPONENT = 0.8
# A skip of the last days takes away this share of a stream's worth.
_SKIP_WEIGHT = 0.5
# Fitted from a day to a year: hours are the session's business.
_FIRST_DAY, _LAST_DAY, _POINTS = 1.0, 365.0, 200


@cache
def mixture_weights(exponent: float) -> tuple[float, ...]:
    """Non-negative weights w with sum_h w_h 2^(-t/h) close to t^-exponent for t in days.

    Least squares on relative error over 200 log-spaced ages (ACT-R base-level activation sums
    age^-d over plays: Anderson and Schooler 1991).
    """
    from scipy.optimize import nnls

    age = np.geomspace(_FIRST_DAY, _LAST_DAY, _POINTS)
    basis = np.power(2.0, -age[:, None] / np.array(HALF_LIVES)[None, :])
    law = np.power(age, -exponent)
    weights, _ = nnls(basis / law[:, None], np.ones(_POINTS))
    return tuple(float(weight) for weight in weights)


def activation(
    columns: Columns, position: NDArray[np.int64], exponent: float
) -> NDArray[np.float32]:
    """sum over streams of age^-exponent at the given positions, from the decayed sums."""
    total = np.zeros(len(position), dtype=np.float32)
    for half_life, weight in zip(HALF_LIVES, mixture_weights(exponent), strict=True):
        if weight > 0:
            total += np.float32(weight) * columns[f"streams_h{half_life}"][position]
    return total


def strength(columns: Columns, position: NDArray[np.int64], exponent: float) -> NDArray[np.float32]:
    """`activation` of (user, track) pairs, lowered by recent skips."""
    skips = columns["skips_h8"][position]
    lowered: NDArray[np.float32] = activation(columns, position, exponent) / (
        1.0 + _SKIP_WEIGHT * skips
    )
    return lowered.astype(np.float32)
