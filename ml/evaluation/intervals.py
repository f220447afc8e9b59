"""Uncertainty: bootstrap intervals over users, paired where two models are compared.

Belongs here: resampling. Does not belong here: metrics or decisions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.metrics import per_user

_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over users with its 95 % percentile bootstrap interval; all nan without users."""

    mean: float
    low: float
    high: float
    users: int

    def text(self) -> str:
        """Mean and interval for people."""
        if self.users == 0:
            return "n/a"
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


def bootstrap(values: NDArray[np.float64], *, seed: int, resamples: int = 1_000) -> Interval:
    """Percentile interval of the mean of `values` (users,), users drawn with replacement
    (Efron and Tibshirani 1993, section 13.3)."""
    size = len(values)
    if size == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    generator = np.random.default_rng(seed)
    means = np.empty(resamples)
    for start in range(0, resamples, _BLOCK):
        stop = min(start + _BLOCK, resamples)
        drawn = generator.integers(0, size, size=(stop - start, size), dtype=np.int32)
        means[start:stop] = values[drawn].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high), size)


def mean_interval(
    values: NDArray[np.float64], user: NDArray[np.int32], *, seed: int, resamples: int = 1_000
) -> Interval:
    """Interval of the mean per user of per-request values; nan requests are left out."""
    return bootstrap(per_user(values, user)[1], seed=seed, resamples=resamples)


def paired_interval(
    challenger: NDArray[np.float64],
    reference: NDArray[np.float64],
    user: NDArray[np.int32],
    *,
    seed: int,
    resamples: int = 1_000,
) -> Interval:
    """Interval of the mean difference challenger - reference on the same requests, by user."""
    return mean_interval(challenger - reference, user, seed=seed, resamples=resamples)
