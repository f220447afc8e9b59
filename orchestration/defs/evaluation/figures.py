"""The evaluation's figures as rows of the warehouse and of Dagster's metadata.

Belongs here: one long table over all trainings, and the table that the UI shows. Does not belong here:
computing figures (ml.ranking.verdicts).
"""

import math
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import duckdb

from ml.evaluation.table import SHOWN, Row
from ml.ranking.run import TrainingRun

TABLE = "evaluation.figures"
_COLUMNS = {
    "as_of": "date",
    "surface": "varchar",
    "part": "varchar",
    "slice": "varchar",
    "model": "varchar",
    "metric": "varchar",
    "mean": "double",
    "low": "double",
    "high": "double",
    "users": "bigint",
    "advantage": "double",
    "advantage_low": "double",
    "advantage_high": "double",
    "p": "double",
}
_COMPARED = (
    "surface, '{part}', null, model, metric, mean, low, high, users, advantage, advantage_low, "
    "advantage_high, advantage_p from read_parquet('{path}')"
)
# What stands in the long table of each stored table, in the order of _COLUMNS after as_of; nan becomes null.
_PARTS = {
    "comparison": _COMPARED.replace("{part}", "all tracks"),
    "new_only": _COMPARED.replace("{part}", "new tracks"),
    "slices": (
        "surface, family, slice, model, metric, shown.mean, shown.low, shown.high, shown.users, "
        "gap.mean, gap.low, gap.high, gap.p from read_parquet('{path}') as shown "
        "left join read_parquet('{advantages}') as gap using (surface, family, slice, model, metric)"
    ),
    "origins": (
        "surface, split || ' day', day::varchar, model, 'ndcg@10', mean, low, high, users, advantage, "
        "advantage_low, advantage_high, null from read_parquet('{path}')"
    ),
    "beyond": (
        "surface, 'beyond accuracy', null, model, figure, mean, low, high, users, null, null, null, "
        "null from read_parquet('{path}')"
    ),
    "importance": (
        "surface, if(feature is null, 'feature families', 'features'), coalesce(feature, family), "
        "'segue', 'mean |SHAP|', contribution, null, null, null, null, null, null, null "
        "from read_parquet('{path}')"
    ),
    "ablation": (
        "surface, 'without a feature family', family, 'segue', 'change in ndcg@10', change, low, high, "
        "users, null, null, null, null from read_parquet('{path}') where features > 0"
    ),
}


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def tabulate(connection: duckdb.DuckDBPyConnection, run: TrainingRun) -> int:
    """Replace the run's rows of `evaluation.figures` by what its tables hold; returns the rows written.

    One row a surface, part (all tracks, new tracks, a family of slices, ...), slice, model and metric.
    `advantage` is that of what serves over the model; what a table cannot tell is null.
    """
    typed = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
    connection.execute("create schema if not exists evaluation")
    connection.execute(f"create table if not exists {TABLE} ({typed})")
    connection.execute("begin")
    connection.execute(f"delete from {TABLE} where as_of = ?", [run.plan.as_of])
    for name, question in _PARTS.items():
        path = run.evaluation / f"{name}.parquet"
        if not path.is_file():
            continue
        advantages = run.evaluation / "slice_advantages.parquet"
        asked = question.format(path=_quoted(path), advantages=_quoted(advantages))
        known = ", ".join(
            f"if(isnan({column}), null, {column})" if kind == "double" else column
            for column, kind in _COLUMNS.items()
        )
        connection.execute(
            f"insert into {TABLE} with told({', '.join(_COLUMNS)}) as (select ?::date, {asked}) "
            f"select {known} from told",
            [run.plan.as_of],
        )
    connection.execute("commit")
    found = connection.execute(
        f"select count(*) from {TABLE} where as_of = ?", [run.plan.as_of]
    ).fetchone()
    return int(found[0]) if found else 0


def table_metadata(rows: Sequence[Row]) -> dg.TableMetadataValue:
    """The comparison as a table of the UI: a record a surface and model, NDCG@10, the advantage of what
    serves with its bounds and adjusted p. More columns would not fit beside the page's other parts."""
    records: dict[tuple[str, str], dict[str, str | float]] = {}
    for row in rows:
        if row.metric != f"{SHOWN[0][0]}@{SHOWN[0][1]}":
            continue
        records[row.surface, row.model] = {
            "surface": row.surface,
            "model": row.model,
            row.metric: _number(row.value.mean),
            "advantage": "" if row.advantage is None else row.advantage.text(),
            "p (Holm)": "" if row.p is None else _number(row.p),
        }
    return dg.MetadataValue.table(records=[dg.TableRecord(one) for one in records.values()])


def _number(value: float) -> str | float:
    return "" if math.isnan(value) else round(value, 4)
