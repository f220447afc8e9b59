"""What quiet days show: each measure's scale, and the null distribution of a day's largest statistic.

Belongs here: calibrating an area on its reference, and keeping the result beside the champion. Does not
belong here: the measures (measures), their effects (usual) or the rule of two windows (verdict).

Every quiet day is set against the usual day made of the *other* quiet days, weekday against weekday: that
is the spread between quiet weeks. Each day is also drawn anew, listeners with replacement, so that the
tail of the largest statistic is known beyond one day in 28. A drawn day has the noise of its listeners
twice, so the limits err on the quiet side.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.files import replace_text
from monitoring.measures import Panel
from monitoring.profile import Profile
from monitoring.thresholds import (
    ACT_FACTOR,
    ACT_ONCE_IN,
    FEWEST_DAYS,
    SHORT_REFERENCE_FACTOR,
    SIGMAS,
    WATCH_ONCE_IN,
    Limits,
    calibrated,
    limits_of,
)
from monitoring.usual import effects, noise, usable, usual_day

Floats = NDArray[np.float64]

# Draws of every quiet day: with four weeks 224 resampled days beside the 28.
DRAWS = 8
# Listens drawn anew at most: sampling noise is small where listens are many, and a draw of a large home
# says no more and costs more.
MOST_RESAMPLED = 8_000_000
_LEVELS = (0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of an area: `scales` by measure, `limits` in multiples of them, the number of quiet days and of
    resampled ones, and `null`, the null distribution's quantiles at 0.5, 0.9, 0.99 and 1."""

    scales: Mapping[str, float]
    limits: Limits
    days: int
    draws: int
    null: tuple[float, ...] = ()


def calibrate(
    reference: Sequence[Profile], panel: Panel, resampled: Sequence[Profile] = ()
) -> Calibration:
    """Scales and limits of an area from its quiet days.

    `resampled` are profiles of the same days with their listeners drawn anew (any number a day, in any
    order); without them the days stand alone. Under three usable days there is no scale but the floors
    and nothing is judged by them.
    """
    days = [one for one in reference if one.listens > 0]
    floors = _floors(panel)
    if len(days) < FEWEST_DAYS:
        return Calibration(floors, Limits(), len(days), 0)
    usual = {one.day: usual_day(usable(days, one.day), one.day) for one in days}
    quiet = [effects(one, usual[one.day], panel) for one in days]
    scales = {
        name: calibrated(_sizes(quiet, name), floor, len(days)).watch
        for name, floor in floors.items()
    }
    drawn = [one for one in resampled if one.day in usual and one.listens > 0]
    shares = {one.name for one in panel.distributions}
    largest = [
        max(
            (
                size / max(scales[name], noise(name, one, usual[one.day]) if name in shares else 0)
                for name, size in effects(one, usual[one.day], panel).items()
            ),
            default=0.0,
        )
        for one in (*days, *drawn)
    ]
    null = np.array(largest, dtype=np.float64)
    levels = tuple(float(one) for one in np.quantile(null, _LEVELS))
    return Calibration(scales, limits_of(null), len(days), len(drawn), levels)


def kept(path: Path, facts: Mapping[str, object], make: Callable[[], Calibration]) -> Calibration:
    """The calibration stored at `path` for the same `facts` (JSON: reference, seed, measures), or the
    one that `make` computes, which is then stored, written aside and renamed. A damaged file counts as
    none."""
    if (stored := _stored(path, facts)) is not None:
        return stored
    found = make()
    replace_text(path, json.dumps(_record(found, facts), indent=1, sort_keys=True))
    return found


def _stored(path: Path, known: Mapping[str, object]) -> Calibration | None:
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["facts"] == json.loads(json.dumps(known)):
            return _parsed(record)
    except (ValueError, KeyError, TypeError):
        # It can be computed anew, and a day's report must not end on it.
        return None
    return None


def facts(panel: Panel, reference: tuple[date, date], seed: int) -> dict[str, object]:
    """What a stored calibration rests on: when one of these changes it is computed anew."""
    return {
        "area": panel.area,
        "floors": _floors(panel),
        "reference": [one.isoformat() for one in reference],
        "draws": DRAWS,
        "most_resampled": MOST_RESAMPLED,
        "sigmas": SIGMAS,
        "act_factor": ACT_FACTOR,
        "short_reference_factor": SHORT_REFERENCE_FACTOR,
        "once_in_days": [WATCH_ONCE_IN, ACT_ONCE_IN],
        "seed": seed,
    }


def _floors(panel: Panel) -> dict[str, float]:
    return {one.name: one.floor for one in panel.everything}


def _sizes(quiet: Sequence[Mapping[str, float]], name: str) -> Floats:
    return np.array([one[name] for one in quiet if name in one], dtype=np.float64)


def _record(found: Calibration, known: Mapping[str, object]) -> dict[str, object]:
    return {
        "facts": known,
        "scales": dict(found.scales),
        "watch": found.limits.watch,
        "act": found.limits.act,
        "days": found.days,
        "draws": found.draws,
        "null": list(found.null),
    }


def _parsed(record: Mapping[str, Any]) -> Calibration:
    return Calibration(
        record["scales"],
        Limits(record["watch"], record["act"]),
        record["days"],
        record["draws"],
        tuple(record["null"]),
    )
