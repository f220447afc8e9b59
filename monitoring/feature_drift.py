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
from monitoring.drift import Distance, judged
from monitoring.effects import null_share, wasserstein_normed
from monitoring.evidently_pages import MOST_COLUMNS, MOST_ROWS, Drift, sampled
from monitoring.profile import Profile
from monitoring.reports import write_report
from monitoring.thresholds import TWO_WEEKS

AREA = "feature_drift"
# In standard deviations of the reference. Evidently's own default of 0.1 alarms on every weekend.
SHIFT_FLOOR = 0.25
NULL_FLOOR = 0.10
# The mean shift of the columns, weighted by gain: many small moves that no column shows alone.
WEIGHTED_FLOOR = 0.15
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
    found = drift_of(today, then, {name: gain[name] for name in names}, history, day)
    drawn = [name for name in names if _drawable(today, name) and _drawable(then, name)]
    figure = Drift(today, then, dict.fromkeys(drawn, SHIFT_FLOOR)) if drawn else None
    return write_report(
        AREA,
        day,
        figure,
        found,
        target,
        {"rows": float(fewest)},
        model_notes(history),
        quiet_days=len(history),
    )


def columns_by_gain(
    features: pa.Table, reference: pa.Table, gain: Mapping[str, float]
) -> list[str]:
    """At most 15 columns that both tables hold, by falling gain, ties by name."""
    both = set(features.column_names) & set(reference.column_names)
    known = [name for name in gain if name in both and gain[name] > 0]
    return sorted(known, key=lambda name: (-gain[name], name))[:MOST_COLUMNS]


def drift_of(
    today: pa.Table,
    then: pa.Table,
    gain: Mapping[str, float],
    history: Sequence[Profile],
    day: date,
) -> tuple[Statistic, ...]:
    """The share of gain that drifted, the shift weighted by gain, then two statistics per column: shift
    and nulls. The weights are the ranker's gain among these columns."""
    total = sum(gain.values())
    weight = {name: one / total for name, one in gain.items()}
    distances = [
        one
        for name in gain
        for one in _column(name, _values(today, name), _values(then, name), weight[name])
    ]
    columns = judged(distances, history, AREA, day)
    drifted = sum(weight[name] for name in {one.of for one in columns if _is_out(one)})
    loudest = sorted(columns, key=lambda one: (-one.value / one.threshold, one.name))[:3]
    furthest = "; ".join(one.explanation for one in loudest)
    share = Distance(
        "drifted_gain_share",
        drifted,
        GAIN_FLOOR,
        f"{100 * drifted:.0f} % of the ranker's gain lies on drifted features; furthest: {furthest}",
        drifted,
        0.0,
        loudest[0].of,
        GAIN_ACT_FACTOR,
    )
    overall = judged([share, _weighted(distances, weight)], history, AREA, day)
    return (*overall, *(_bounded(one, weight[one.of]) for one in columns))


def _weighted(distances: Sequence[Distance], weight: Mapping[str, float]) -> Distance:
    """Mean shift of the columns in deviations, weighted by gain; the column that adds most is named."""
    shift = {one.name: one.value * weight[one.name] for one in distances if one.name in weight}
    most = max(sorted(shift), key=lambda name: shift[name])
    size = sum(shift.values())
    words = f"inputs lie {size:.2f} deviations apart, weighted by gain; {most} adds most"
    return Distance("gain_weighted_shift", size, WEIGHTED_FLOOR, words, size, 0.0, most)


def _column(
    name: str, today: NDArray[np.float64], then: NDArray[np.float64], share: float
) -> tuple[Distance, Distance]:
    shift = wasserstein_normed(today, then)
    now, before = _middle(today), _middle(then)
    nulls, usual = null_share(today), null_share(then)
    weight = f"{100 * share:.0f} % of gain"
    words = f"{name} ({weight}) mean {now:.3g} against {before:.3g}, {shift:.2f} deviations apart"
    missing = f"{name} ({weight}) not known {100 * nulls:.0f} % against {100 * usual:.0f} %"
    apart = abs(nulls - usual)
    return (
        Distance(name, shift, SHIFT_FLOOR, words, now, before, name),
        Distance(f"{name}.null_share", apart, NULL_FLOOR, missing, nulls, usual, name),
    )


def _is_out(one: Statistic) -> bool:
    return one.severity is not Verdict.OK


def _bounded(one: Statistic, weight: float) -> Statistic:
    """One column alone asks for attention; a decision needs a share of the gain."""
    return _at_most_watch(one) if weight >= HEAVY_COLUMN else _quiet(one)


def model_notes(history: Sequence[Profile]) -> tuple[str, ...]:
    """What a reader must know while a model is young."""
    if len(history) >= TWO_WEEKS:
        return ()
    rule = f"the floors judge, and at most `watch` until there are {TWO_WEEKS}"
    return (f"only {len(history)} quiet days under this model: {rule}",)


def _at_most_watch(one: Statistic) -> Statistic:
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
