"""Decisions as records and as rows of the warehouse.

Belongs here: what is stored of a decision, and its two tables. Does not belong here: deciding
(ml.registry.gate) or the file of records (ml.registry.records).
"""

from datetime import datetime
from pathlib import Path

import duckdb

from ml.registry.decision import Decision
from ml.registry.records import DECISION

# Names and types of a decision's record; other kinds of records are passed over.
_COLUMNS = {
    "kind": "varchar",
    "at": "timestamp with time zone",
    "as_of": "date",
    "challenger": "varchar",
    "champion": "varchar",
    "promote": "boolean",
    "summary": "varchar",
    "rulings": (
        "struct(kind varchar, rule varchar, surface varchar, outcome varchar, figure double, "
        "low double, high double, threshold double, users bigint, text varchar, asks varchar, "
        "why varchar)[]"
    ),
}


def decision_record(decision: Decision, as_of: str, at: datetime) -> dict[str, object]:
    """A decision as a line of the records."""
    return {"kind": DECISION, "at": at.isoformat(), "as_of": as_of, **decision.to_dict()}


_DECISIONS = """
create or replace table registry.decisions as
select "at" as decided_at, as_of, challenger, champion, promote, summary, len(rulings) as rules
from records
order by decided_at
"""
_RULINGS = """
create or replace table registry.rulings as
select decided_at, challenger, ruling.*
from (select "at" as decided_at, challenger, unnest(rulings) as ruling from records)
order by decided_at
"""


def tabulate(connection: duckdb.DuckDBPyConnection, records: Path) -> int:
    """Make `registry.decisions` (a row a decision) and `registry.rulings` (a row a decision and rule) anew
    from the records; returns the decisions."""
    typed = ", ".join(f"'{name}': '{kind}'" for name, kind in _COLUMNS.items())
    connection.execute("begin")
    connection.execute("create schema if not exists registry")
    # A line cut short by a kill is passed over, as everywhere.
    connection.execute(
        f"create or replace temp table records as select * from read_json(?, "
        f"format = 'newline_delimited', ignore_errors = true, columns = {{{typed}}}) "
        "where kind = 'decision'",
        [str(records)],
    )
    connection.execute(_DECISIONS)
    connection.execute(_RULINGS)
    connection.execute("drop table records")
    connection.execute("commit")
    [found] = connection.execute("select count(*) from registry.decisions").fetchall()
    return int(found[0])
