"""Figures of a listening log that do not depend on who made it: how worlds and real logs are compared.

Belongs here: figures over arrays of listens. Does not belong here: reading logs
(tests/benchmarks/bench_marginals.py).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.tables import SESSION_GAP


@dataclass(frozen=True, slots=True)
class Popularity:
    """How plays spread over the items that were played: the shares of the most played 1 % and 10 %
    (at least one item), the Gini coefficient, and the slope of log plays over log rank.
    """

    items: int
    top_1: float
    top_10: float
    gini: float
    slope: float


def popularity(plays: NDArray[np.int64]) -> Popularity:
    """Figures of `plays` (items); items without a play do not count.

    Gini: sum((2i - n - 1) x_i) / (n sum(x)) over ascending x. The slope is a least-squares line through
    30 ranks evenly spaced in log from 10 to 1,000, or to half the items where there are fewer; NaN
    below 40 items.
    """
    ascending = np.sort(plays[plays > 0]).astype(np.float64)
    size, total = len(ascending), ascending.sum()
    falling = ascending[::-1]
    weights = 2.0 * np.arange(1, size + 1) - size - 1
    slope = np.nan
    if size >= 40:
        rank = np.unique(np.geomspace(10, min(1_000, size // 2), 30).astype(np.int64))
        slope = _slope(rank.astype(np.float64), falling[rank - 1])
    return Popularity(
        items=size,
        top_1=float(falling[: max(1, size // 100)].sum() / total),
        top_10=float(falling[: max(1, size // 10)].sum() / total),
        gini=float((weights * ascending).sum() / (size * total)),
        slope=float(slope),
    )


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Least-squares slope of log y over log x."""
    across, up = np.log(x), np.log(y)
    across = across - across.mean()
    return float((across * (up - up.mean())).sum() / (across**2).sum())


def heard_before(group: NDArray[np.int64], track: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each listen's track came earlier in its group (a listener, a session); rows in order
    of time within a group."""
    pair = group.astype(np.int64) * (int(track.max(initial=0)) + 1) + track
    _, first = np.unique(pair, return_index=True)
    again = np.ones(len(group), dtype=np.bool_)
    again[first] = False
    return again


def number_in_group(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many rows of its group come before each row; groups ascending."""
    return np.arange(len(group)) - np.searchsorted(group, group)


def sessions(user: NDArray[np.int64], second: NDArray[np.float64]) -> NDArray[np.int64]:
    """Session numbers from 0 of rows sorted by (user, second): a new one after 30 minutes without the
    beginning of a track. The limit of 12 hours is left out."""
    new = (np.diff(user) != 0) | (np.diff(second) > SESSION_GAP.total_seconds())
    return np.concatenate([[0], np.cumsum(new)])


def hours_between(
    user: NDArray[np.int64], track: NDArray[np.int64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Hours from each play of a track to the same listener's next play of it, where there is one."""
    order = np.lexsort((second, track, user))
    same = (np.diff(user[order]) == 0) & (np.diff(track[order]) == 0)
    hours: NDArray[np.float64] = np.diff(second[order])[same] / 3_600.0
    return hours


def density_slope(values: NDArray[np.float64], low: float, high: float, bins: int = 14) -> float:
    """Slope of log density over log value: a histogram of `bins` bins evenly spaced in log between
    `low` and `high`, empty ones left out; -d for values with density x^-d. NaN below two bins."""
    edges = np.geomspace(low, high, bins + 1)
    count, _ = np.histogram(values, edges)
    some = count > 0
    if some.sum() < 2:
        return float("nan")
    middle = np.sqrt(edges[1:] * edges[:-1])
    return _slope(middle[some], (count / np.diff(edges))[some])
