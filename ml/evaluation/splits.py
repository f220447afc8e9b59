"""Which days are label days: a global temporal split.

Belongs here: windows over the days that hold data. Does not belong here: what is labelled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

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
# On HetRec Last.fm (4.4 years of months; lists asked to last half a year; NDCG@20 of what serves on validation):
# labels of a month .101, the ranker being in doubt; of a 24th of the history .110; of a 15th .107.
_HISTORY_SHARE = 24


def label_windows(
    days_with_data: Sequence[date],
    as_of: date,
    *,
    train: int = 6,
    validation: int = 2,
    test: int = 2,
    horizon: int = 1,
) -> Windows:
    """The last days with data before `as_of`; all shrink in step, to one each at least, so that at
    least as many days of history precede them as they cover.

    A label day's labels are those of `horizon` days from it on; they end before the days of the next split
    begin, and those of test before `as_of`. Where they cover several days with data, neighbouring label days
    share most of them: half as many do, and lie later.

    Raises:
        SplitError: fewer than four days hold data.
    """
    days = sorted(day for day in set(days_with_data) if day < as_of)
    if len(days) < _LEAST_DAYS:
        raise SplitError(
            f"expected at least {_LEAST_DAYS} days with listens before {as_of}, found {len(days)}; "
            "import more history or choose a later --as-of"
        )
    share = min(1.0, len(days) / 2 / (train + validation + test))
    sizes = [max(1, int(size * share)) for size in (train, validation, test)]
    if days[-1] - days[-2] < timedelta(days=horizon):
        sizes = [max(1, size // 2) for size in sizes]
    found: list[tuple[date, ...]] = []
    end = as_of
    for size in reversed(sizes):
        closed = [day for day in days if day + timedelta(days=horizon) <= end]
        if not closed:
            raise SplitError(
                f"expected label days of {horizon} days each before {end}, found none; ask for a shorter "
                "--horizon or import more history"
            )
        found.append(tuple(closed[-size:]))
        end = found[-1][0]
    test_days, validation_days, train_days = found
    return Windows(train_days, validation_days, test_days)


def bounded_horizon(days_with_data: Sequence[date], as_of: date, asked: int) -> int:
    """`asked` days, at most a 24th of the history before `as_of`, and one at least.

    Train, validation and test labels follow one another: three such windows stay in the last eighth of what is
    known, where listeners and catalogue are still those of today.
    """
    first = min((day for day in days_with_data if day < as_of), default=as_of)
    return max(1, min(asked, (as_of - first).days // _HISTORY_SHARE))
