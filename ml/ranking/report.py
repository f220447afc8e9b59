"""The evaluation of a run as one page that a sceptic can read: what serves, by how much, how surely.

Belongs here: the verdicts and the page of one run, from its stored tables. Does not belong here: the
sections' plots (ml.ranking.report_sections), drawing (ml.evaluation.page) or computing (ml.ranking.verdicts).
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ml.evaluation.page.layout import Chapter, Verdict, page
from ml.files import replace_text
from ml.ranking.judging import RANKER, SHOWN
from ml.ranking.order import POPULARITY, Choice, read_choice
from ml.ranking.report_rows import NDCG, Found, Told, figure, interval, of
from ml.ranking.report_sections import sections
from ml.ranking.run import TrainingRun
from ml.ranking.training import SPLITS
from ml.ranking.verdicts import COMPARISON, NEW_ONLY, read_findings

PAGE = "report.html"
CONVENTIONS = (
    "Every track of the catalogue competes, nothing is sampled; a missing list and a track outside the "
    "catalogue are misses. Figures are means per request, then per listener; brackets are 95 % bootstrap "
    "intervals over listeners, differences are paired by listener, p is Holm-adjusted over the models of "
    "a metric or the slices and models of a metric. segue is the order that serves, segue_shown the same "
    "after the rules that cap artists and drop duplicate recordings; single generators have no rules. "
    "Nothing on the test days chose anything; the validation days chose what serves."
)


def surface_title(surface: str) -> str:
    """A surface's name for people."""
    return surface.replace("_", " ").title()


def verdict_of(surface: str, choice: Choice, findings: Mapping[str, pa.Table]) -> Verdict:
    """Does the ranker serve, and by how much is what serves above the best single generator (popularity
    where that generator itself serves) on the test days?

    Good: the interval lies above zero; bad: below; unsure: it holds zero, or nobody had anything to find.
    """
    name = surface_title(surface)
    rival = choice.leader if choice.by_ranker else POPULARITY
    served = "the ranker" if choice.by_ranker else choice.serves
    claim = f"{name}: {served} serves"
    compared = of(findings[COMPARISON], surface)
    own, other = (figure(compared, model, NDCG) for model in (RANKER, rival))
    if own is None or other is None or not own["users"]:
        return Verdict("unsure", claim, "No listener had anything to find on the test days.")
    if choice.by_ranker:
        why = f"{rival} is the best single generator on validation."
    else:
        why = f"No ranker was shown to be above {choice.leader} on validation."
    if choice.leader == POPULARITY and not choice.by_ranker:
        return Verdict("unsure", claim, f"NDCG@10 {interval(own)} on the test days. {why}")
    gap = interval(other, "advantage")
    tone = "good" if other["advantage_low"] > 0 else "unsure"
    tone = "bad" if other["advantage_high"] < 0 else tone
    ground = (
        f"NDCG@10 {interval(own)} on the test days, {rival} {interval(other)}; "
        f"{own['users']:,} listeners. {why}{_discovery(surface, findings)}"
    )
    return Verdict(tone, f"{claim}, {gap} NDCG@10 above {rival}", ground)


def _discovery(surface: str, findings: Mapping[str, pa.Table]) -> str:
    """The same of tracks never played before, beside whichever single generator is best there on the
    test days themselves: a choice in the rival's favour."""
    if NEW_ONLY not in findings:
        return ""
    rows = [
        row
        for row in of(findings[NEW_ONLY], surface).to_pylist()
        if row["metric"] == NDCG and row["users"] and row["model"] not in (RANKER, SHOWN)
    ]
    if not rows:
        return ""
    best: Found = max(rows, key=lambda row: row["mean"])
    gap = interval(best, "advantage")
    return f" On tracks never played before: {gap} above {best['model']}, the best one there."


def facts_of(run: TrainingRun) -> str:
    """Days, seed and conventions in one paragraph."""
    plan = run.plan
    spans = []
    for split in SPLITS:
        first, last = plan.days(split)[0], plan.days(split)[-1]
        spans.append(f"{split} {first}" + ("" if first == last else f" to {last}"))
    return (
        f"Label days: {', '.join(spans)}; the models of each span are fitted on what was known before its first "
        f"day. Seed {plan.seed}. {CONVENTIONS}"
    )


def verdicts_of(run: TrainingRun) -> dict[str, Verdict]:
    """The verdict of every judged surface."""
    findings = read_findings(run)
    surfaces = findings[COMPARISON]["surface"].unique().to_pylist()
    return {one: verdict_of(one, read_choice(run.choice(one)), findings) for one in surfaces}


def verdicts_markdown(run: TrainingRun) -> str:
    """The verdicts as a list for people."""
    lines = [f"* **{one.claim}.** {one.ground}" for one in verdicts_of(run).values()]
    return "\n".join(lines) or "Nobody asked on the test days: nothing was judged."


def report_page(run: TrainingRun) -> str:
    """HTML of the run's evaluation, the same bytes for the same stored tables.

    Raises:
        TrainingRunError: the run has no stored comparison.
    """
    findings, verdicts, chapters = read_findings(run), verdicts_of(run), []
    for surface in verdicts:
        choice = read_choice(run.choice(surface))
        recall = run.evaluation / f"{surface}_recall.parquet"
        told = Told(
            {name: of(table, surface) for name, table in findings.items()},
            choice,
            pq.read_table(recall) if recall.is_file() else None,
        )
        chapters.append(Chapter(surface_title(surface), sections(told)))
    title = f"Evaluation of the training as of {run.plan.as_of}"
    return page(title, list(verdicts.values()), facts_of(run), chapters)


def write_report(run: TrainingRun) -> Path:
    """Write the page beside the tables and return its path."""
    path = run.evaluation / PAGE
    replace_text(path, report_page(run))
    return path


def documents_of(run: TrainingRun) -> dict[str, str]:
    """The page and the comparison by file name, as far as they are written, to keep with the run in MLflow."""
    paths = [run.evaluation / name for name in ("comparison.md", PAGE)]
    return {path.name: path.read_text(encoding="utf-8") for path in paths if path.is_file()}
