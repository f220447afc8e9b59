"""Which days are label days: a global temporal split.

Belongs here: windows over the days that hold data. Does not belong here: what is labelled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

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


def label_windows(
    days_with_data: Sequence[date],
    as_of: date,
    *,
    train: int = 6,
    validation: int = 2,
    test: int = 2,
) -> Windows:
    """The last days with data before `as_of`; all shrink in step, to one each at least, so that at
    least as many days of history precede them as they cover.

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
    last = len(days)
    test_days = days[last - sizes[2] :]
    last -= sizes[2]
    validation_days = days[last - sizes[1] : last]
    last -= sizes[1]
    return Windows(tuple(days[last - sizes[0] : last]), tuple(validation_days), tuple(test_days))
