"""Effect sizes between two distributions: how far apart, never how surprising.

Belongs here: pure arithmetic on arrays. Does not belong here: thresholds, names or tables. With a
day's tens of thousands of rows every p-value is small, so nothing here returns one.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A share below this counts as this in the index, so that an empty bin gives a finite number.
SMALLEST_SHARE = 1e-4


def js_distance(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Square root of the Jensen-Shannon divergence in bits, 0 to 1, between two sets of shares.

    Shares need not sum to one; a missing name counts as zero. Two empty sets are 0 apart.
    """
    names = sorted(first.keys() | second.keys())
    p = _normalised(np.array([first.get(name, 0.0) for name in names]))
    q = _normalised(np.array([second.get(name, 0.0) for name in names]))
    middle = (p + q) / 2
    divergence = 0.5 * (_relative_entropy(p, middle) + _relative_entropy(q, middle))
    return float(np.sqrt(np.clip(divergence, 0.0, 1.0)))


def psi(current: Floats, reference: Floats, bins: int = 10) -> float:
    """Population stability index over the reference's quantile bins (Yurdakul 2018).

    Not-a-number values are left out; 0 when either side is empty.
    """
    current, reference = _finite(current), _finite(reference)
    if not len(current) or not len(reference):
        return 0.0
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1]))
    q = np.bincount(np.searchsorted(edges, current, "right"), minlength=len(edges) + 1)
    p = np.bincount(np.searchsorted(edges, reference, "right"), minlength=len(edges) + 1)
    q = np.maximum(q / len(current), SMALLEST_SHARE)
    p = np.maximum(p / len(reference), SMALLEST_SHARE)
    return float(np.sum((q - p) * np.log(q / p)))


def wasserstein_normed(current: Floats, reference: Floats) -> float:
    """First Wasserstein distance in standard deviations of the reference.

    Not-a-number values are left out; 0 when either side is empty. A constant reference counts as
    one unit wide, so a moved constant shows as the distance it moved.
    """
    current, reference = _finite(current), _finite(reference)
    if not len(current) or not len(reference):
        return 0.0
    spread = float(np.std(reference))
    levels = (np.arange(512) + 0.5) / 512
    distance = np.abs(np.quantile(current, levels) - np.quantile(reference, levels)).mean()
    return float(distance / (spread if spread > 0 else 1.0))


def null_share(values: Floats) -> float:
    """Share of values that are not a number, 0 for none at all."""
    return float(np.isnan(values).mean()) if len(values) else 0.0


def cosine(first: Floats, second: Floats) -> float:
    """Cosine of two vectors, 0 when one of them has no length."""
    length = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second / length) if length > 0 else 0.0


def sampling_noise(categories: int, first: float, second: float) -> float:
    """JS distance to expect between two samples of the same distribution.

    The divergence in nats of n and m draws over B categories is near (B - 1)(1/n + 1/m) / 8.
    """
    if min(first, second) <= 0:
        return 1.0
    bits = max(categories - 1, 1) * (1 / first + 1 / second) / (8 * np.log(2))
    return float(np.sqrt(min(bits, 1.0)))


def _finite(values: Floats) -> Floats:
    values = np.asarray(values, dtype=np.float64)
    kept: Floats = values[np.isfinite(values)]
    return kept


def _normalised(shares: Floats) -> Floats:
    total = shares.sum()
    kept: Floats = shares / total if total > 0 else shares
    return kept


def _relative_entropy(p: Floats, q: Floats) -> float:
    # The middle of a denormal share and zero is zero.
    inside = (p > 0) & (q > 0)
    return float(np.sum(p[inside] * np.log2(p[inside] / q[inside])))
