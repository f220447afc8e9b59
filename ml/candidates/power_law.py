"""The power law of forgetting as a mixture of exponentials.

Belongs here: weights that turn sums decayed by half-lives into base-level activation, and what skips take
from it. Does not belong here: which exponent is right (forgetting), candidates.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ml.state.columns import PairTable
from ml.state.rows import Rows, read_only, rows_found
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


def strengths(pairs: PairTable, user: NDArray[np.int32], exponent: float) -> Rows:
    """Of each listener's pairs the sum over streams of age^-exponent, from the decayed sums, lowered by recent skips;
    rows over items."""
    from ml.kernels.listeners import memories

    names, weight = pairs.columns.names, np.zeros(len(pairs.columns.names), dtype=np.float32)
    for half_life, share in zip(HALF_LIVES, mixture_weights(exponent), strict=True):
        weight[names.index(f"streams_h{half_life}")] = share
    found = memories(
        read_only(pairs.indptr),
        read_only(pairs.item),
        read_only(pairs.columns.values),
        read_only(weight),
        names.index("skips_h8"),
        np.float32(_SKIP_WEIGHT),
        read_only(user),
    )
    return rows_found(found, pairs.items)
