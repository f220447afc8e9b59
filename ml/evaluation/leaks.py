"""Signs that data or features know what they may not know.

Belongs here: judging counts, and features beside the same features without the future. Does not belong
here: reading or recomputing them (ml.ranking.honesty).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Without a filter a history looks filtered this rarely.
_CHANCE = 1e-6
# A feature that puts all but this share of the pairs (track below the filter, track above it) in one order
# counts listens, whatever it is called.
_SURE = 0.99
# What is recomputed from the same numbers differs in the last bits of float32 at most.
_RELATIVE, _ABSOLUTE = 1e-4, 1e-6


@dataclass(frozen=True, slots=True)
class Filtered:
    """A history that holds only tracks with `least` listens or more, counted past the cut: of `below`
    tracks with fewer before the cut every one is sure to come again. `chance` is the probability of
    that without a filter; `excess` how many times more often than their past says they come."""

    least: int
    below: int
    chance: float
    excess: float


def filtered_before_split(
    past: NDArray[np.int64], future: NDArray[np.int64], settled: NDArray[np.bool_]
) -> Filtered | None:
    """The filter that a history went through before it was cut, None where nothing points to one.

    `past` and `future` int64 (tracks) count listens before the cut and from then on; `settled` bool
    (tracks) are those known long enough for their past to tell their pace: a release of last week
    grows on its own. Filters by a least count (k-core) leave no track with fewer than k listens in
    all. Without one, a track with c before the cut gets Poisson(r c) after it, r from the tracks that
    no filter touches (c >= k); `chance` is the product of P(c + Poisson(r c) >= k) over tracks with c < k.
    """
    from scipy.stats import poisson

    known = settled & (past > 0)
    if not known.any():
        return None
    past, future = past[known], future[known]
    least = int((past + future).min())
    below = past < least
    if least < 2 or not below.any() or below.all():
        return None
    rate = future[~below].sum() / past[~below].sum()
    expected = rate * past[below]
    chance = float(np.exp(poisson.logsf(least - 1 - past[below], expected).sum()))
    if chance > _CHANCE:
        return None
    excess = float(future[below].sum() / expected.sum()) if rate > 0 else float("inf")
    return Filtered(least, int(below.sum()), chance, excess)


def counting_features(
    names: Sequence[str], values: NDArray[np.float32], below: NDArray[np.bool_]
) -> dict[str, float]:
    """Features that tell tracks below a filter from those above it, with the share of pairs they order.

    `values` float32 (rows, features), nan = not known, ordered before all others; `below` bool (rows) says
    that the row's track had fewer listens than the filter asks for. The share is the area under the ROC
    curve, ties counting half (Mann and Whitney 1947), of the better direction.
    """
    from scipy.stats import rankdata

    few, many = int(below.sum()), int((~below).sum())
    if not few or not many:
        return {}
    found = {}
    for column, name in enumerate(names):
        rank = rankdata(np.nan_to_num(values[:, column].astype(np.float64), nan=-np.inf))
        area = (rank[below].sum() - few * (few + 1) / 2) / (few * many)
        share = float(max(area, 1.0 - area))
        if share >= _SURE:
            found[name] = share
    return found


def changed_features(
    names: Sequence[str], given: NDArray[np.float32], again: NDArray[np.float32]
) -> dict[str, float]:
    """Features that are others without the future, with the share of rows in which they are.

    `given` and `again` float32 (rows, features) hold the same rows: as training saw them, and recomputed
    from what was known before the cut.
    """
    close = np.isclose(given, again, rtol=_RELATIVE, atol=_ABSOLUTE, equal_nan=True)
    share = 1.0 - close.mean(axis=0) if len(given) else np.zeros(len(names))
    return {name: float(part) for name, part in zip(names, share, strict=True) if part > 0}
