"""The sections of a surface's chapter that say how good the lists are, each from one stored table.

Belongs here: which rows of a table become which plot, and the words above it. Does not belong here: the
sections that say why (ml.ranking.report_causes), the page (ml.ranking.report) or drawing
(ml.evaluation.page).
"""

from collections.abc import Callable, Sequence
from math import isnan

import pyarrow as pa

from ml.evaluation.page.charts import Line, intervals_plot
from ml.evaluation.page.layout import Section, table
from ml.evaluation.page.marks import Mark, legend
from ml.evaluation.page.trend import days_plot
from ml.evaluation.table import RESAMPLES
from ml.ranking.judging import RANKER
from ml.ranking.report_causes import by_family, by_feature, recall_by_source, worth_of_families
from ml.ranking.report_rows import NDCG, Found, Told, chance, interval
from ml.ranking.verdicts import (
    BEYOND,
    COMPARISON,
    NEW_ONLY,
    ORIGINS,
    SLICE_ADVANTAGES,
    SLICES,
)

_SURE = 0.05
# Intervals over fewer listeners are too narrow to call anything sure.
_FEWEST = 30


def sections(told: Told) -> list[Section]:
    """What can be told of the surface, in reading order."""
    makers: Sequence[Callable[[Told], Section | None]] = (
        _comparison,
        _new_only,
        _origins,
        _slices,
        _beyond,
        recall_by_source,
        by_feature,
        by_family,
        worth_of_families,
    )
    return [section for maker in makers if (section := maker(told)) is not None]


def _compared(found: pa.Table) -> str:
    """Models by metrics, as the comparison table has them."""
    metrics = list(dict.fromkeys(found["metric"].to_pylist()))
    by: dict[str, dict[str, Found]] = {}
    for row in found.to_pylist():
        by.setdefault(row["model"], {})[row["metric"]] = row
    header = ["model", "NDCG@10", *metrics[1:], "advantage of the first", "p"]
    rows = [
        [
            model,
            interval(of_model[NDCG]),
            *(f"{of_model[name]['mean']:.4f}" for name in metrics[1:]),
            interval(of_model[NDCG], "advantage"),
            chance(of_model[NDCG]["advantage_p"]),
        ]
        for model, of_model in by.items()
    ]
    least = 2 * (len(by) - 1) / (RESAMPLES + 1)
    foot = f"Holm-adjusted, p is {least:.3f} or more: {RESAMPLES:,} resamples show no less."
    return f'{table(header, rows, emphasis=True)}<p class="mute">{foot}</p>'


def _comparison(told: Told) -> Section | None:
    found = told.tables.get(COMPARISON)
    if found is None or not len(found):
        return None
    note = "All models on the same test requests, heard tracks allowed. Advantage and p are in NDCG@10."
    return Section("All models", note, _compared(found), wide=True)


def _new_only(told: Told) -> Section | None:
    found = told.tables.get(NEW_ONLY)
    if found is None or not found["users"].to_numpy().max(initial=0):
        return None
    note = (
        "Only tracks that the listener had never played before the day may be listed, and only those "
        "count: discovery apart from repeats."
    )
    return Section("New tracks only", note, _compared(found), wide=True)


def _origins(told: Told) -> Section | None:
    found = told.tables.get(ORIGINS)
    if found is None or not len(found):
        return None
    rows = found.to_pylist()
    days = list(dict.fromkeys(row["day"] for row in rows))
    chosen = {row["day"]: row["split"] == "validation" for row in rows}
    series: dict[str, list[Mark]] = {}
    for row in rows:
        mark = Mark(row["model"], row["mean"], row["low"], row["high"])
        series.setdefault(row["model"], []).append(mark)
    plot = days_plot(
        [f"{day:%d %b}" for day in days],
        series,
        "NDCG@10 by label day",
        hollow=[chosen[day] for day in days],
    )
    others = [name for name in series if name != RANKER]
    gaps = {(row["day"], row["model"]): interval(row, "advantage") for row in rows}
    body = [
        [f"{day:%d %b}" + (" *" if chosen[day] else ""), *(gaps[day, name] for name in others)]
        for day in days
    ]
    under = table([f"{RANKER} minus", *others], body)
    note = (
        "NDCG@10 of each label day by models fitted before the first day of its span. Hollow and *: "
        "validation days, on which what serves was chosen; full: test days."
    )
    return Section("Day by day", note, legend(list(series)) + plot + under)


def _slices(told: Told) -> Section | None:
    found, gaps = told.tables.get(SLICES), told.tables.get(SLICE_ADVANTAGES)
    if found is None or gaps is None:
        return None
    models = list(dict.fromkeys((RANKER, told.choice.leader)))
    words = {
        (row["family"], row["slice"]): _word(row)
        for row in gaps.to_pylist()
        if row["metric"] == NDCG and row["model"] == told.choice.leader
    }
    slices: dict[tuple[str, str], list[Found]] = {}
    for row in found.to_pylist():
        if row["metric"] == NDCG and row["model"] in models and row["users"]:
            slices.setdefault((row["family"], row["slice"]), []).append(row)
    lines: list[Line] = []
    for (family, name), rows in slices.items():
        if family not in {line.label for line in lines}:
            lines.append(Line(family, ()))
        marks = [Mark(row["model"], row["mean"], row["low"], row["high"]) for row in rows]
        word = words.get((family, name), "")
        lines.append(Line(name, marks, f"{rows[0]['users']:,} listeners{word}"))
    if not lines:
        return None
    note = (
        f"NDCG@10 on parts of the requests or of what was played. Above, below: {RANKER} is, with an adjusted "
        f"p below .05 and at least {_FEWEST} listeners."
    )
    plot = intervals_plot(lines, models, "NDCG@10 by slice", zero=True)
    return Section("By slice", note, legend(models) + plot)


def _word(gap: Found) -> str:
    """Whether what serves is surely above or below, from the row of its advantage."""
    if gap["users"] < _FEWEST or not gap["p"] < _SURE:
        return ""
    return ", above" if gap["mean"] > 0 else ", below"


def _beyond(told: Told) -> Section | None:
    found = told.tables.get(BEYOND)
    if found is None or not len(found):
        return None
    cells = {(row["figure"], row["model"]): row for row in found.to_pylist()}
    figures, models = (list(dict.fromkeys(found[name].to_pylist())) for name in ("figure", "model"))
    body = [[name, *(_cell(cells.get((name, model))) for model in models)] for name in figures]
    note = (
        "Of lists of 20. Novelty: mean self-information. Serendipity: played, and not in the popularity "
        "list. Heard before: share of the list; of listeners, share of what they played. "
        "Miscalibration: divergence from the listener's genres, 0 = in proportion. Gini: 0 = all shown alike."
    )
    return Section("Beyond accuracy", note, table(["figure", *models], body), wide=True)


def _cell(row: Found | None) -> str:
    """A mean over its interval, nothing where there is no figure."""
    if row is None or isnan(row["mean"]):
        return ""
    bounds = "" if isnan(row["low"]) else f"\n[{row['low']:.3f}, {row['high']:.3f}]"
    return f"{row['mean']:.3f}{bounds}"
