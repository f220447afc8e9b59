"""Many comparisons at once: p-values from the bootstrap and their correction.

Belongs here: what intervals, one by one, do not say. Does not belong here: resampling
(ml.evaluation.intervals) or which comparisons are made.
"""

import numpy as np
from numpy.typing import NDArray


def p_values(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two-sided p of each column of `means` (resamples, m) being 0 on average: float64 (m), nan where
    no resample has a mean.

    Twice the smaller share of resamples at or beyond 0, the sample itself counted among them
    (Davison and Hinkley 1997, chapter 4), so that p is below .05 about where the 95 % percentile
    interval leaves out 0. The least p is 2 / (resamples + 1): after a correction for m comparisons
    .05 takes more than 40 m resamples.
    """
    drawn = (~np.isnan(means)).sum(axis=0)
    below, above = (means <= 0).sum(axis=0), (means >= 0).sum(axis=0)
    p = np.minimum(2.0 * (np.minimum(below, above) + 1.0) / (drawn + 1.0), 1.0)
    return np.where(drawn > 0, p, np.nan)


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's (1979) step-down adjusted p-values of a family `p` (m), in its order.

    Rejecting where adjusted p <= alpha keeps the chance of any false rejection at alpha or less,
    however the comparisons depend on each other. nan stays nan and is no member of the family.
    """
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p, kind="stable")
    order = order[~np.isnan(p[order])]
    size = len(order)
    stepped = (size - np.arange(size)) * p[order]
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted
