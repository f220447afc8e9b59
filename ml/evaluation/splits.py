"""Which days are label days: a global temporal split.

Belongs here: windows over the days that hold data. Does not belong here: what is labelled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from ml.errors import SegueError


class SplitError(SegueError):
    """Too few days hold data for an honest split."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Label days, ascending, every train day before validation, every validation day before test."""

    train: tuple[date, ...]
    validation: tuple[date, ...]
    test: tuple[date, ...]


# Beside one day to train, validate and test on, at least one day of history must come first.
_LEAST_DAYS = 4
# Label days to train, validate and test on.
_SIZES = (6, 2, 2)
# On HetRec Last.fm (4.4 years of months; lists asked to last half a year; NDCG@20 of what serves on validation):
# labels of a month .101, the ranker being in doubt; of a 24th of the history .110; of a 15th .107.
_HISTORY_SHARE = 24
# Listeners a day from which the ordinary label days are enough.
_FEW_LISTENERS = 5


def label_windows(
    days_with_data: Sequence[date],
    as_of: date,
    *,
    times: int = 1,
    horizon: int = 1,
    gap: int = 0,
) -> Windows:
    """The last days with data before `as_of`: six to train, two to validate and two to test, `times` over; all
    shrink in step, to one each at least, so that at least as many days of history precede them as they cover.

    A label day's labels are those of `horizon` days from it on; they end before the days of the next split
    begin, and those of test before `as_of`. Where they cover several days with data, neighbouring label days
    share most of them: half as many do, and lie later. `gap` days are left out before the first day of each split:
    no label and no fitted part is of them, so that a session or a late listen stands on one side only.

    Raises:
        SplitError: fewer than four days hold data, or windows and gaps leave no history before them.
    """
    days = sorted(day for day in set(days_with_data) if day < as_of)
    if len(days) < _LEAST_DAYS:
        raise SplitError(
            f"expected at least {_LEAST_DAYS} days with listens before {as_of}, found {len(days)}; "
            "import more history or choose a later --as-of"
        )
    asked = [times * size for size in _SIZES]
    sizes = _affordable(days, asked, horizon, timedelta(days=3 * gap))
    return Windows(*_placed(days, as_of, sizes, horizon, gap))


def _placed(
    days: Sequence[date], as_of: date, sizes: Sequence[int], horizon: int, gap: int
) -> list[tuple[date, ...]]:
    """The label days of each split, the last of them as late before `as_of` as `label_windows` says.

    Raises:
        SplitError: as `label_windows`.
    """
    found: list[tuple[date, ...]] = []
    end = as_of
    for size in reversed(sizes):
        closed = [day for day in days if day + timedelta(days=horizon) <= end]
        if not closed:
            raise SplitError(
                f"expected label days of {horizon} days each before {end}, found none; ask for a shorter "
                "--horizon or --gap, or import more history"
            )
        found.append(tuple(closed[-size:]))
        end = found[-1][0] - timedelta(days=gap)
    if days[0] >= end:
        raise SplitError(
            f"expected history before {end}, where the label days and gaps of {gap} days begin, found none; "
            "ask for a shorter --horizon or --gap, or import more history"
        )
    return found[::-1]


def _affordable(
    days: Sequence[date], sizes: Sequence[int], horizon: int, gaps: timedelta
) -> list[int]:
    """How many label days each split has, of `sizes` at most, as `label_windows` says; as many of the last days
    as `gaps` covers count for nothing."""
    counted = sum(day <= days[-1] - gaps for day in days)
    share = min(1.0, counted / 2 / sum(sizes))
    shrunk = [max(1, int(size * share)) for size in sizes]
    if days[-1] - days[-2] < timedelta(days=horizon):
        return [max(1, size // 2) for size in shrunk]
    return shrunk


def widened(listeners_a_day: float) -> int:
    """How many times as many label days a history of so few listeners a day is judged by.

    One listener's two validation days hold two Home requests and some thirty of Now Playing, which show nothing:
    with ten they follow the running session instead of popularity.
    """
    return max(1, ceil(_FEW_LISTENERS / max(listeners_a_day, 1.0)))


def bounded_horizon(days_with_data: Sequence[date], as_of: date, asked: int) -> int:
    """`asked` days, at most a 24th of the history before `as_of`, and one at least.

    Train, validation and test labels follow one another: three such windows stay in the last eighth of what is
    known, where listeners and catalogue are still those of today.
    """
    first = min((day for day in days_with_data if day < as_of), default=as_of)
    return max(1, min(asked, (as_of - first).days // _HISTORY_SHARE))
