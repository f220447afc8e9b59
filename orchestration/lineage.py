"""Which columns a model's column comes from, read from the SQL that ran.

Belongs here: column lineage. Does not belong here: running the SQL. Kept by project digest: the lineage
does not depend on the days that are built.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ml.files import replace_text

if TYPE_CHECKING:
    from sqlglot.exp import Union

# model relation -> column -> [(relation, column)]
Lineage = dict[str, dict[str, list[tuple[str, str]]]]


def column_lineage(
    compiled: str, relation: str, schema: Mapping[str, Mapping[str, str]]
) -> dict[str, list[tuple[str, str]]]:
    """Sources of each column of a DuckDB select, sorted; the model's own earlier rows are left out.

    `schema` has the columns and types of every relation by `schema.name`.
    """
    from sqlglot import exp, parse_one
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify

    tables: dict[str, dict[str, dict[str, str]]] = {}
    for name, columns in schema.items():
        layer, noun = name.split(".")
        tables.setdefault(layer, {})[noun] = dict(columns)
    tree = parse_one(compiled, dialect="duckdb")
    for table in tree.find_all(exp.Table):
        table.set("catalog", None)
    tree = qualify(tree, schema=tables, dialect="duckdb", validate_qualify_columns=False)
    for union in tree.find_all(exp.Union):
        if union.args.get("by_name"):
            _in_order(union)
    nodes = lineage(None, tree, tables, dialect="duckdb", validate_qualify_columns=False)
    found: dict[str, list[tuple[str, str]]] = {}
    for column, node in nodes.items():
        sources = {
            (f"{leaf.source.db}.{leaf.source.name}", leaf.name.rsplit(".", 1)[-1].strip('"'))
            for leaf in node.walk()
            if not leaf.downstream and isinstance(leaf.source, exp.Table)
        }
        found[column] = sorted(
            (table, name)
            for table, name in sources
            if table != relation and name in schema.get(table, {})
        )
    return found


def _in_order(union: "Union") -> None:
    """Give the second half of a `union by name` the columns of the first in their order: sqlglot goes by
    place."""
    from sqlglot import exp

    known = {one.alias_or_name: one for one in union.right.selects}
    columns = [known.get(name) or exp.alias_(exp.null(), name) for name in union.left.named_selects]
    union.right.set("expressions", columns)


def stored_lineage(folder: Path, digest: str) -> Lineage:
    """The lineage kept for this version of the project, by relation."""
    path = folder / f"lineage-{digest}.json"
    if not path.is_file():
        return {}
    stored = json.loads(path.read_text())
    return {
        relation: {name: [(t, c) for t, c in sources] for name, sources in columns.items()}
        for relation, columns in stored.items()
    }


def store_lineage(folder: Path, digest: str, lineage: Lineage) -> None:
    """Keep the lineage, aside and renamed."""
    replace_text(folder / f"lineage-{digest}.json", json.dumps(lineage, sort_keys=True))
