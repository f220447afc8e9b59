"""Ranking quality: did yesterday's lists name what was played today?

Belongs here: the area's entry point, its measures, and the rows Evidently needs to agree with
ml.evaluation. Does not belong here: the metrics themselves (ml.evaluation).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.areas import AreaReport, ReportTarget, Statistic
from monitoring.gauges import of_lists
from monitoring.measures import Comparison, Measure, Panel
from monitoring.outcomes import Outcomes, evidently_rows, outcomes
from monitoring.profile import Profile
from monitoring.reports import write_report
from monitoring.statistics import statistics
from monitoring.thresholds import FEWEST_DAYS, Threshold

AREA = "ranking_quality"
# Relative falls below these are not worth a look; three standard errors of the day lift them.
MEASURES = (
    Measure("ndcg_at_10", Comparison.FALL, 0.15, "NDCG@10"),
    Measure("recall_at_20", Comparison.FALL, 0.15, "recall@20"),
    Measure("hit_rate_at_10", Comparison.FALL, 0.10, "hit rate@10"),
    Measure("coverage_at_10", Comparison.RATIO, 0.25, "catalogue named in top tens", "%", 1e-9),
    Measure("repeat_share_at_10", Comparison.DIFFERENCE, 0.10, "top ten heard before", "%"),
    Measure("listed_share", Comparison.FALL, 0.10, "active listeners that had a list", "%"),
)
_STANDARD_ERRORS = 3.0
# Evidently takes 1.4 ms a listener; the drawing needs no more than this many.
DRAWN_LISTENERS = 500
_FEWEST_LISTENERS = 20
_DRAWN_CUT = 20


def report(
    day: date,
    lists: pa.Table,
    streams: pa.Table,
    catalogue_size: int,
    popular: Sequence[str],
    history: Sequence[Profile],
    target: ReportTarget,
    open_until: date | None = None,
    meaning: Mapping[str, float] | None = None,
) -> AreaReport:
    """Judge the lists in force on `day` by that day's streams and write the report.

    `lists` has `request_id`, `user_id`, `rank` (1 is best), `track_id` and optionally `is_repeat`
    (heard before the list was made); `streams` has `user_id` and `track_id`. `popular` are the most
    played track ids known before the day, which the lists must beat (empty = not compared).
    `history` comes from `reports.history` of this area, whatever the model was: a new champion that
    does worse than the old one must show. `open_until` says that labels of the window still come in until
    then (None = it is closed): half the labels would read as half the quality, so nothing is judged.
    `meaning` are figures of score_calibration, tracked with the others.
    """
    found = outcomes(lists, streams)
    if note := _not_enough(day, lists, found, open_until):
        return write_report(AREA, day, None, (), target, notes=(note,))
    numbers = numbers_of(found, catalogue_size)
    days = [one for one in history if one.day < day]
    figure = evidently_rows(found, DRAWN_LISTENERS, _DRAWN_CUT, (target.seed, day.toordinal()))
    return write_report(
        AREA,
        day,
        figure,
        statistics_of(day, found, numbers, streams, popular, days),
        target,
        {**numbers, **(meaning or {})},
        _history_note(len(days)),
        quiet_days=len(days),
    )


def _not_enough(day: date, lists: pa.Table, found: Outcomes, open_until: date | None) -> str:
    """Why nothing is judged, "" = it is."""
    if open_until is not None:
        return f"not enough labels to judge: the window of {day} is open until {open_until}"
    if lists.num_rows and found.listeners >= _FEWEST_LISTENERS:
        return ""
    return (
        f"not enough outcomes to judge: {lists.num_rows} recommended tracks in force and "
        f"{found.listeners} listeners with a stream on {day}, at least {_FEWEST_LISTENERS} "
        "are needed"
    )


def statistics_of(
    day: date,
    found: Outcomes,
    numbers: dict[str, float],
    streams: pa.Table,
    popular: Sequence[str],
    history: Sequence[Profile],
) -> tuple[Statistic, ...]:
    """The lead over the most played tracks, then the day's `numbers` against earlier quiet days."""
    panel = Panel(AREA, _measures(found, numbers))
    compared = statistics(Profile(day, numbers, {}), history, panel)
    return (*lead_over_popularity(found, streams, popular), *compared)


def lead_over_popularity(
    found: Outcomes, streams: pa.Table, popular: Sequence[str]
) -> tuple[Statistic, ...]:
    """Whether the lists still beat the most played tracks, among the listeners that had a list.

    The effect is popularity's NDCG@10 minus the lists', in standard errors of the paired
    difference: three ask for attention, six for a decision. It needs no history, and twenty of these
    listeners: the equal differences of two would leave no error to divide by.
    """
    if not popular or found.listed.sum() < _FEWEST_LISTENERS:
        return ()
    ours = found.per_listener("ndcg", 10)[found.listed]
    theirs = outcomes(_popular_lists(streams, popular), streams).per_listener("ndcg", 10)[
        found.listed
    ]
    error = float((theirs - ours).std() / np.sqrt(len(ours)))
    behind = max(float((theirs - ours).mean()), 0.0) / max(error, 1e-9)
    threshold = Threshold(_STANDARD_ERRORS, 2 * _STANDARD_ERRORS)
    words = (
        f"NDCG@10 of the lists {ours.mean():.4f} against {theirs.mean():.4f} of the most played "
        "tracks for everybody"
    )
    return (
        Statistic(
            "behind_popularity",
            behind,
            threshold.watch,
            AREA,
            threshold.severity(behind),
            words,
            float(ours.mean()),
            float(theirs.mean()),
        ),
    )


def _popular_lists(streams: pa.Table, popular: Sequence[str]) -> pa.Table:
    users = pc.unique(streams["user_id"].cast(pa.string())).to_numpy(zero_copy_only=False)
    top = np.array(popular[:10], dtype=object)
    owner = np.repeat(users, len(top))
    return pa.table(
        {
            "request_id": pa.array(owner, pa.string()),
            "user_id": pa.array(owner, pa.string()),
            "rank": np.tile(np.arange(1, len(top) + 1), len(users)),
            "track_id": pa.array(np.tile(top, len(users)), pa.string()),
        }
    )


def _history_note(days: int) -> tuple[str, ...]:
    if days >= FEWEST_DAYS:
        return ()
    needed = f"{FEWEST_DAYS} are needed to judge a fall"
    return (f"not enough history: {days} earlier days with outcomes, {needed}",)


def numbers_of(found: Outcomes, catalogue_size: int) -> dict[str, float]:
    """The day's figures; `listens` is the number of listener and track pairs streamed."""
    numbers = {
        "listens": float(found.streamed),
        "listeners": float(found.listeners),
        "ndcg_at_10": float(found.per_listener("ndcg", 10).mean()),
        "recall_at_20": float(found.per_listener("recall", 20).mean()),
        "hit_rate_at_10": float(found.per_listener("hit_rate", 10).mean()),
        "coverage_at_10": found.distinct_tracks(10) / max(catalogue_size, 1),
        "listed_share": float(found.listed.mean()),
        **of_lists(found.shown, 10),
    }
    repeat = found.repeat_share(10)
    return numbers if repeat is None else {**numbers, "repeat_share_at_10": repeat}


def _measures(found: Outcomes, numbers: dict[str, float]) -> tuple[Measure, ...]:
    """The measures with floors no lower than three standard errors of the day's mean."""
    per_listener = {
        "ndcg_at_10": found.per_listener("ndcg", 10),
        "recall_at_20": found.per_listener("recall", 20),
        "hit_rate_at_10": found.per_listener("hit_rate", 10),
        "listed_share": found.listed.astype(np.float64),
    }
    return tuple(
        replace(one, floor=max(one.floor, _noise(per_listener[one.name], numbers[one.name])))
        if one.name in per_listener
        else one
        for one in MEASURES
    )


def _noise(values: NDArray[np.float64], mean: float) -> float:
    """Three standard errors relative to the mean; one when there is no mean to fall from."""
    if mean <= 0:
        return 1.0
    return float(_STANDARD_ERRORS * values.std() / np.sqrt(len(values)) / mean)
