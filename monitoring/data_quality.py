"""Data quality of a day: are the listens what they usually are?

Belongs here: the area's entry point and the columns Evidently draws. Does not belong here: what is
counted (profile) and how it is judged (statistics).
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.areas import AreaReport, ReportTarget, Statistic, Verdict
from monitoring.calibration import DRAWS, MOST_RESAMPLED, Calibration, calibrate
from monitoring.evidently_pages import MOST_ROWS, Drift, sampled
from monitoring.gauges import of_listens
from monitoring.measures import DATA_QUALITY
from monitoring.profile import Profile, resampled_profiles
from monitoring.reports import write_report
from monitoring.statistics import reference_notes, statistics
from monitoring.thresholds import FEWEST_DAYS
from monitoring.usual import usable

AREA = "data_quality"
# What Evidently marks in its drawings; the verdict rests on our own thresholds.
_DRAWN = {"surface": 0.1, "seconds_played": 0.1, "hour": 0.1, "hours_late": 0.1, "position": 0.1}


def report(
    listens: pa.Table,
    profile: Profile,
    reference_listens: pa.Table,
    reference: Sequence[Profile],
    target: ReportTarget,
    calibration: Calibration | None = None,
) -> AreaReport:
    """Judge a day's profile against the reference days and write the report.

    Both tables have the columns of intermediate.listens and serve the drawings only (at most 5,000
    sampled rows each); either may be empty. `profile` and `reference` come from
    `profile.daily_profiles` with the same `head`; without a calibration the reference days alone give
    the thresholds.
    """
    quiet = usable(reference, profile.day)
    day = profile.day
    figure = None
    if listens.num_rows and reference_listens.num_rows:
        today = _drawn(sampled(listens, MOST_ROWS, (target.seed, day.toordinal(), 0)))
        then = _drawn(sampled(reference_listens, MOST_ROWS, (target.seed, day.toordinal(), 1)))
        # Evidently refuses a column without a value: lengths are unknown in many an import.
        empty = {name for name in _DRAWN for one in (today, then) if _is_empty(one[name])}
        drawn = {name: size for name, size in _DRAWN.items() if name not in empty}
        figure = Drift(today, then, drawn)
    return write_report(
        AREA,
        day,
        figure,
        (*silence(profile, reference), *statistics(profile, reference, DATA_QUALITY, calibration)),
        target,
        profile.numbers | of_listens(profile),
        _empty_day(profile) + reference_notes(quiet),
        quiet_days=len(quiet),
    )


def calibration_of(
    reference_listens: pa.Table, reference: Sequence[Profile], head: tuple[str, ...], seed: int
) -> Calibration:
    """Scales and limits from the reference weeks, each day's listeners drawn anew."""
    draws = max(1, min(DRAWS, MOST_RESAMPLED // max(reference_listens.num_rows, 1)))
    drawn = resampled_profiles(reference_listens, head, draws, seed)
    return calibrate(reference, DATA_QUALITY, drawn)


def silence(profile: Profile, reference: Sequence[Profile]) -> tuple[Statistic, ...]:
    """A day without a listen where every day of the reference had some: the source has stopped. Shares and
    medians of nothing do not exist, so that no other measure would tell."""
    days = usable(reference, profile.day)
    if profile.listens or len(days) < FEWEST_DAYS or not all(one.listens for one in reference):
        return ()
    usual = float(np.median([one.listens for one in days]))
    words = f"no listen became known on {profile.day}, {usual:,.0f} usually"
    return (Statistic("no_listens", 1.0, 0.5, AREA, Verdict.ACT, words, 0.0, usual, is_break=True),)


def _is_empty(column: pa.ChunkedArray) -> bool:
    return bool(column.null_count == len(column))


def _empty_day(profile: Profile) -> tuple[str, ...]:
    return () if profile.listens else (f"not enough data: no listen became known on {profile.day}",)


def _drawn(listens: pa.Table) -> pa.Table:
    played = listens["played_at"]
    late = pc.divide(
        pc.microseconds_between(played, listens["known_at"]).cast(pa.float64()), 3_600_000_000.0
    )
    return pa.table(
        {
            "surface": listens["surface"].cast(pa.string()),
            "seconds_played": pc.divide(listens["ms_played"].cast(pa.float64()), 1000.0),
            "hour": pc.hour(played).cast(pa.float64()),
            "hours_late": late,
            "position": listens["position"].cast(pa.float64()),
        }
    )
