"""The sections of a surface's chapter that say why the lists are as good as they are.

Belongs here: what the candidates hold, what the ranker's order rests on, what each family of features is
worth. Does not belong here: how good the lists are (ml.ranking.report_sections) or drawing
(ml.evaluation.page).
"""

import pyarrow.compute as pc

from ml.candidates.recall import POOL
from ml.evaluation.page.charts import Line, bars_plot, intervals_plot
from ml.evaluation.page.layout import Section
from ml.evaluation.page.marks import Mark
from ml.ranking.ablation import FULL
from ml.ranking.report_rows import Found, Told
from ml.ranking.verdicts import ABLATION, IMPORTANCE

_FEATURES = 15


def recall_by_source(told: Told) -> Section | None:
    """Recall of each generator, of all together, and what all would lose without each."""
    if told.recall is None or not len(told.recall):
        return None
    lines = [
        (
            "all together" if row["generator"] == POOL else row["generator"],
            row["recall"],
            f"{row['recall']:.3f}"
            + ("" if row["marginal"] is None else f", alone {100 * row['marginal']:.2f} points"),
        )
        for row in told.recall.to_pylist()
    ]
    note = (
        "Share of what was played on the validation days that each generator proposes at its depth. Alone: "
        "what all together would lose without it. The ranker cannot find what no generator proposes."
    )
    return Section("Recall by source", note, bars_plot(lines, "Recall by source"))


def _bars(rows: list[Found], name: str) -> list[tuple[str, float, str]]:
    return [
        (
            row[name],
            row["contribution"],
            f"{row['contribution']:.3f} / {row['order']:.3f} / {100 * row['gain']:.1f} %",
        )
        for row in rows
    ]


def by_feature(told: Told) -> Section | None:
    """The features that contribute most."""
    found = told.tables.get(IMPORTANCE)
    if found is None or not len(found):
        return None
    rows = found.filter(pc.is_valid(found["feature"])).to_pylist()
    note = (
        f"Mean |SHAP|, exact, over {rows[0]['rows']:,} candidates drawn from test requests / what of it "
        "differs between candidates of one request / share of the total gain in training."
    )
    plot = bars_plot(_bars(rows[:_FEATURES], "feature"), "Mean |SHAP| by feature")
    return Section("By feature", note, plot)


def by_family(told: Told) -> Section | None:
    """Contributions by feature family."""
    found = told.tables.get(IMPORTANCE)
    if found is None or not len(found):
        return None
    rows = found.filter(pc.is_null(found["feature"])).to_pylist()
    note = "The same, contributions summed by feature family before the mean of their size."
    plot = bars_plot(_bars(rows, "family"), "Mean |SHAP| by feature family")
    return Section("By feature family", note, plot)


def worth_of_families(told: Told) -> Section | None:
    """What NDCG@10 loses without each family."""
    found = told.tables.get(ABLATION)
    if found is None or not len(found):
        return None
    full, *without = found.to_pylist()
    series = ["change in NDCG@10"]
    lines = [
        Line(
            row["family"],
            [Mark(series[0], row["change"], row["low"], row["high"])],
            f"{row['features']} features, {row['change']:+.4f}",
        )
        for row in without
    ]
    note = (
        f"A smaller ranker ({full['rounds']} rounds on {full['train_requests']:,} training requests; with "
        f"{FULL} NDCG@10 {full['ndcg']:.4f}) trained again without each family: change on the validation "
        f"requests of {full['users']:,} listeners. Families that stand in for each other show little."
    )
    plot = intervals_plot(lines, series, "Change in NDCG@10 without a feature family", zero=True)
    return Section("What each family is worth", note, plot)
