"""Feature drift: do the ranker's inputs still look like those it learned from?

Belongs here: the columns chosen by gain, their drift, and the share of gain that drifted. Does not
belong here: the features themselves (ml.ranking).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.areas import AreaReport, ReportTarget, Statistic, Verdict
from monitoring.drift import drift_statistic
from monitoring.effects import null_share, wasserstein_normed
from monitoring.evidently_pages import MOST_COLUMNS, MOST_ROWS, Drift, sampled
from monitoring.profile import Profile
from monitoring.reports import write_report

AREA = "feature_drift"
# In standard deviations of the reference. Evidently's own default of 0.1 alarms on every weekend.
SHIFT_FLOOR = 0.25
NULL_FLOOR = 0.10
# Share of the gain of the columns looked at that drifted: 0.3 asks for attention, 0.5 for a
# decision (field practice retrains at 0.2 to 0.3 twice in a row).
GAIN_FLOOR = 0.3
GAIN_ACT_FACTOR = 5 / 3
# A single column with less of the gain than this never raises the verdict by itself.
HEAVY_COLUMN = 0.15
_FEWEST_ROWS = 100


def report(
    day: date,
    features: pa.Table,
    reference: pa.Table,
    gain: Mapping[str, float],
    history: Sequence[Profile],
    target: ReportTarget,
) -> AreaReport:
    """Judge today's ranker inputs against those saved at training and write the report.

    Both tables hold one float column per feature (null or nan = not known), one row per candidate,
    sampled; `gain` is the ranker's gain per feature; `history` comes from `reports.history` of this
    area under the model in force.
    """
    fewest = min(features.num_rows, reference.num_rows)
    names = columns_by_gain(features, reference, gain)
    if fewest < _FEWEST_ROWS or not names:
        note = (
            f"not enough rows to compare: {features.num_rows} today, {reference.num_rows} from "
            f"training, {len(names)} columns in common; at least {_FEWEST_ROWS} rows are needed"
        )
        return write_report(AREA, day, None, (), target, notes=(note,))
    seed = (target.seed, day.toordinal())
    today = sampled(features.select(names), MOST_ROWS, (*seed, 0))
    then = sampled(reference.select(names), MOST_ROWS, (*seed, 1))
    found = drift_of(today, then, {name: gain[name] for name in names}, history)
    drawn = [name for name in names if _drawable(today, name) and _drawable(then, name)]
    figure = Drift(today, then, dict.fromkeys(drawn, SHIFT_FLOOR)) if drawn else None
    return write_report(AREA, day, figure, found, target, {"rows": float(fewest)})


def columns_by_gain(
    features: pa.Table, reference: pa.Table, gain: Mapping[str, float]
) -> list[str]:
    """At most 15 columns that both tables hold, by falling gain, ties by name."""
    both = set(features.column_names) & set(reference.column_names)
    known = [name for name in gain if name in both and gain[name] > 0]
    return sorted(known, key=lambda name: (-gain[name], name))[:MOST_COLUMNS]


def drift_of(
    today: pa.Table, then: pa.Table, gain: Mapping[str, float], history: Sequence[Profile]
) -> tuple[Statistic, ...]:
    """The gain-weighted share that drifted, then two statistics per column: shift and nulls."""
    total = sum(gain.values())
    columns: list[Statistic] = []
    drifted = 0.0
    for name, weight in gain.items():
        pair = _column(name, _values(today, name), _values(then, name), weight / total, history)
        if any(one.severity is not Verdict.OK for one in pair):
            drifted += weight / total
        heavy = weight / total >= HEAVY_COLUMN
        columns += [_at_most_watch(one) if heavy else _quiet(one) for one in pair]
    loudest = sorted(columns, key=lambda one: (-one.value / one.threshold, one.name))[:3]
    words = (
        f"{100 * drifted:.0f} % of the ranker's gain lies on drifted features; furthest: "
        + "; ".join(one.explanation for one in loudest)
    )
    share = drift_statistic(
        "drifted_gain_share",
        drifted,
        GAIN_FLOOR,
        history,
        AREA,
        words,
        drifted,
        0.0,
        GAIN_ACT_FACTOR,
    )
    return (share, *columns)


def _column(
    name: str,
    today: NDArray[np.float64],
    then: NDArray[np.float64],
    share: float,
    history: Sequence[Profile],
) -> tuple[Statistic, Statistic]:
    shift = wasserstein_normed(today, then)
    now, before = _middle(today), _middle(then)
    nulls, usual_nulls = null_share(today), null_share(then)
    weight = f"{100 * share:.0f} % of gain"
    words = f"{name} ({weight}) mean {now:.3g} against {before:.3g}, {shift:.2f} deviations apart"
    missing = f"{name} ({weight}) not known {100 * nulls:.0f} % against {100 * usual_nulls:.0f} %"
    return (
        drift_statistic(name, shift, SHIFT_FLOOR, history, AREA, words, now, before),
        drift_statistic(
            f"{name}.null_share",
            abs(nulls - usual_nulls),
            NULL_FLOOR,
            history,
            AREA,
            missing,
            nulls,
            usual_nulls,
        ),
    )


def _at_most_watch(one: Statistic) -> Statistic:
    """One column alone asks for attention; a decision needs a share of the gain."""
    return replace(one, severity=Verdict.WATCH) if one.severity is Verdict.ACT else one


def _quiet(one: Statistic) -> Statistic:
    return replace(one, severity=Verdict.OK)


def _middle(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


def _values(table: pa.Table, name: str) -> NDArray[np.float64]:
    column = table[name].cast(pa.float64()).combine_chunks()
    values: NDArray[np.float64] = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return values


def _drawable(table: pa.Table, name: str) -> bool:
    """Evidently refuses a column without a single value."""
    return bool(np.isfinite(_values(table, name)).any())
