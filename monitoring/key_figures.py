"""The few figures of each area that are drawn over time, and their series.

Belongs here: which figures, their titles and how they are written. Does not belong here: drawing
(sparkline, orchestration.plots) or measuring.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from monitoring.areas import AreaReport, Verdict


class Unit(StrEnum):
    """How a figure is written."""

    COUNT = "count"
    SHARE = "share"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A measure of an area's numbers under a title that a person reads."""

    measure: str
    title: str
    unit: Unit = Unit.NUMBER


@dataclass(frozen=True, slots=True)
class Series:
    """A figure on the days that have it, ascending; `usual` is None on days without a reference, and
    `verdicts` are the area's."""

    figure: KeyFigure
    days: tuple[date, ...]
    values: tuple[float, ...]
    usual: tuple[float | None, ...]
    verdicts: tuple[Verdict, ...]


# A figure that a home's reports do not hold is left out.
KEY_FIGURES: dict[str, tuple[KeyFigure, ...]] = {
    "data_quality": (
        KeyFigure("listens", "Listens", Unit.COUNT),
        KeyFigure("listeners", "Listeners", Unit.COUNT),
        KeyFigure("skip_share", "Skips among listens", Unit.SHARE),
        KeyFigure("ms_played_p50", "Milliseconds played, median", Unit.COUNT),
        KeyFigure("late_share", "Listens that came late", Unit.SHARE),
        KeyFigure("organic_share", "Listens nobody recommended", Unit.SHARE),
    ),
    "feature_drift": (
        KeyFigure("drifted_gain_share", "Gain on drifted features", Unit.SHARE),
        KeyFigure("listener_repeat_rate", "Feature: repeat rate"),
        KeyFigure("listener_track_share", "Feature: track's share of a listener"),
        KeyFigure("source_count", "Feature: sources that name a track"),
    ),
    "embedding_drift": (
        KeyFigure("centroid_shift", "Shift of the centre of plays"),
        KeyFigure("own_taste_cosine", "Likeness to own other days"),
        KeyFigure("spread", "Spread of plays"),
        KeyFigure("no_vector_share", "Plays without a vector", Unit.SHARE),
    ),
    "score_drift": (
        KeyFigure("score", "Mean score"),
        KeyFigure("score_spread", "Spread of scores"),
        KeyFigure("score_at_rank_1", "Score at rank 1"),
        KeyFigure("score_psi", "Population stability index"),
    ),
    "ranking_quality": (
        KeyFigure("ndcg_at_10", "NDCG@10"),
        KeyFigure("hit_rate_at_10", "Hit rate@10", Unit.SHARE),
        KeyFigure("recall_at_20", "Recall@20", Unit.SHARE),
        KeyFigure("coverage_at_10", "Catalogue in the lists", Unit.SHARE),
        KeyFigure("exposure_gini_at_10", "Concentration of what is shown (Gini)"),
        KeyFigure("list_similarity_at_10", "What two lists share", Unit.SHARE),
        KeyFigure("calibration_error", "Calibration error of scores"),
        KeyFigure("skew_share", "Shown otherwise than recommended", Unit.SHARE),
    ),
}


def series_of(area: str, reports: Sequence[AreaReport]) -> tuple[Series, ...]:
    """The area's key figures over the given reports, in the order of KEY_FIGURES."""
    own = sorted((one for one in reports if one.area == area), key=lambda one: one.day)
    found = []
    for figure in KEY_FIGURES[area]:
        held = [one for one in own if figure.measure in one.numbers]
        if held:
            found.append(
                Series(
                    figure,
                    tuple(one.day for one in held),
                    tuple(one.numbers[figure.measure] for one in held),
                    tuple(one.numbers.get(f"{figure.measure}.usual") for one in held),
                    tuple(one.verdict for one in held),
                )
            )
    return tuple(found)


def written(value: float, unit: Unit) -> str:
    """The value as people read it: `15,397`, `14.4 %`, `0.559`."""
    if unit is Unit.SHARE:
        return f"{100 * value:.1f} %"
    if unit is Unit.COUNT:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"
