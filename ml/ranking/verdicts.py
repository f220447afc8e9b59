"""Judging a training run.

Belongs here: every table of a run's evaluation, and their storage. Does not belong here: metric formulas
(ml.evaluation), what is taken apart (ml.ranking.breakdown), the page (ml.ranking.report) or the
champion on the same requests (ml.ranking.rivals).
"""

from collections.abc import Mapping
from dataclasses import replace
from math import isnan

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml.evaluation.table import Row, comparison_rows, to_arrow, to_markdown
from ml.files import replace_table, replace_text
from ml.policy.rules import DEFAULT_RULES
from ml.ranking.ablation import Bounds, ablation
from ml.ranking.breakdown import beyond_of, discovery, origin_table, sliced_tables
from ml.ranking.contexts import Context
from ml.ranking.examples import read_examples
from ml.ranking.importance import importance
from ml.ranking.judging import RANKER, Judged, judge, source_lists
from ml.ranking.run import TrainingRun, TrainingRunError
from ml.ranking.selection import without
from ml.ranking.served import Served, read_served
from ml.state.catalogue import Catalogue

COMPARISON, NEW_ONLY = "comparison", "new_only"
SLICES, SLICE_ADVANTAGES, BEYOND = "slices", "slice_advantages", "beyond"
ORIGINS, IMPORTANCE, ABLATION = "origins", "importance", "ablation"
TABLES = (
    COMPARISON,
    NEW_ONLY,
    SLICES,
    SLICE_ADVANTAGES,
    BEYOND,
    ORIGINS,
    IMPORTANCE,
    ABLATION,
)


def _judged(run: TrainingRun, surface: str, served: Served, catalogue: Catalogue) -> Judged:
    baselines, rules = pq.read_table(run.baselines(surface)), DEFAULT_RULES[surface]
    judged = judge(served.own, surface, served.score, rules, catalogue, baselines)
    # Generators that were switched off are judged too, and the others on all they proposed.
    return replace(judged, lists={**judged.lists, **source_lists(served.examples)})


def evaluate(
    run: TrainingRun, catalogue: Catalogue, contexts: Mapping[str, Context], threads: int
) -> list[Row]:
    """Every table of TABLES, stored as `<name>.parquet` with a column `surface`; the comparison is returned
    and stored as markdown too.

    `catalogue` and `contexts` as from `contexts.read_contexts`. A table that nothing can be said in (no
    ranker: no importance) has no file.

    Raises:
        TrainingRunError: the contexts are of other requests than the stored examples.
    """
    rows: list[Row] = []
    tables: dict[str, list[pa.Table]] = {name: [] for name in TABLES}
    for surface, context in contexts.items():
        compared, found = _tested(run, surface, context, catalogue, threads)
        found |= _validated(run, surface, threads, found.pop(ORIGINS))
        rows += compared
        for name, table in found.items():
            tables[name].append(_of(surface, table))
    for name, parts in tables.items():
        path = run.evaluation / f"{name}.parquet"
        if name == COMPARISON:
            replace_table(path, to_arrow(rows))
        elif parts:
            replace_table(path, pa.concat_tables(parts))
        else:
            path.unlink(missing_ok=True)
    replace_text(run.evaluation / "comparison.md", to_markdown(rows))
    return rows


def _of(surface: str, table: pa.Table) -> pa.Table:
    if "surface" in table.column_names:
        return table
    return table.add_column(0, "surface", pa.array([surface] * len(table), pa.string()))


def _tested(
    run: TrainingRun, surface: str, context: Context, catalogue: Catalogue, threads: int
) -> tuple[list[Row], dict[str, pa.Table]]:
    """The comparison, and all tables that the test requests give; ORIGINS of the test days alone."""
    seed, served = run.plan.seed, read_served(run, surface, "test", threads)
    leader = served.choice.leader
    if len(context.at) != len(served.examples.requests):
        raise TrainingRunError(
            f"expected the {len(served.examples.requests)} test requests of {surface} in the warehouse, "
            f"found {len(context.at)}: it was rebuilt since; run `segue run train`"
        )
    judged = _judged(run, surface, served, catalogue)
    new = discovery(served, surface, context, DEFAULT_RULES[surface], catalogue)
    rows, news = (
        comparison_rows(surface, one.lists, one.truth, one.listener, reference=RANKER, seed=seed)
        for one in (judged, new)
    )
    slices, advantages = sliced_tables(judged, context, leader, seed)
    found = {
        NEW_ONLY: to_arrow(news),
        SLICES: slices,
        SLICE_ADVANTAGES: advantages,
        BEYOND: beyond_of(judged, context, leader, seed),
        ORIGINS: origin_table(run, "test", served, surface),
    }
    if served.ranker is not None and len(served.own.rows):
        found[IMPORTANCE] = importance(served.ranker, served.own, seed=seed)
    return rows, found


def _validated(
    run: TrainingRun, surface: str, threads: int, tested: pa.Table
) -> dict[str, pa.Table]:
    """ORIGINS of the validation days and then those `tested`; the ablation where a ranker can be trained."""
    served = read_served(run, surface, "validation", threads)
    if not len(served.examples.requests):
        return {ORIGINS: tested}
    before = origin_table(run, "validation", served, surface)
    found = {ORIGINS: pa.concat_tables([before, tested])}
    train = without(read_examples(run.examples(surface, "train")), served.choice.off, surface)
    played = [len(one.rows) and pc.max(one.rows["grade"]).as_py() for one in (train, served.own)]
    if all(played):
        parameters = run.plan.ranker_parameters(surface)
        found[ABLATION] = ablation(train, served.own, surface, parameters, Bounds())
    return found


def read_findings(run: TrainingRun) -> dict[str, pa.Table]:
    """The stored tables of TABLES by name; those without a file are left out.

    Raises:
        TrainingRunError: there is no COMPARISON.
    """
    if not (run.evaluation / f"{COMPARISON}.parquet").is_file():
        raise TrainingRunError(
            f"expected an evaluation of the training as of {run.plan.as_of}, found none; "
            "run `segue run train`"
        )
    paths = {name: run.evaluation / f"{name}.parquet" for name in TABLES}
    return {name: pq.read_table(path) for name, path in paths.items() if path.is_file()}


def headline(run: TrainingRun) -> dict[str, float]:
    """Means of what serves by `<surface>/<metric>`, and the bounds of their intervals by
    `<surface>/<metric>_low` and `_high`, for MLflow; one listener has no bounds."""
    table = pq.read_table(run.evaluation / f"{COMPARISON}.parquet")
    own = table.filter((pc.field("model") == RANKER) & (pc.field("users") > 0))
    return {
        f"{row['surface']}/{row['metric'].replace('@', '_at_')}{end}": row[name]
        for row in own.to_pylist()
        for name, end in (("mean", ""), ("low", "_low"), ("high", "_high"))
        if not isnan(row[name])
    }
