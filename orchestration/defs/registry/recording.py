"""Decisions as records and as rows of the warehouse.

Belongs here: what is stored of a decision, and its two tables. Does not belong here: deciding
(ml.registry.gate) or the file of records (ml.registry.records).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from ml.registry.decision import Decision
from ml.registry.records import DECISION, append_record, read_records
from orchestration.decisions import WHY_TAG

# What two runs that come to the same decision tell differently.
_OF_A_RUN = frozenset({"at", "run_id", "asked_by"})
# Names and types of a decision's record; other kinds of records are passed over.
_COLUMNS = {
    "kind": "varchar",
    "at": "timestamp with time zone",
    "as_of": "date",
    "run_id": "varchar",
    "asked_by": "varchar",
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


@dataclass(frozen=True, slots=True)
class Training:
    """The run that made a challenger and what asked for it: a review, a report, the schedule, a person."""

    run_id: str
    asked_by: str


def training_of(run: dg.DagsterRun) -> Training:
    """The run by its tags; one without any was started by hand."""
    schedule = run.tags.get("dagster/schedule_name")
    asked = run.tags.get(WHY_TAG) or (f"the schedule {schedule}" if schedule else "a person")
    return Training(run.run_id, asked)


def decision_record(
    decision: Decision, as_of: str, at: datetime, training: Training
) -> dict[str, object]:
    """A decision as a line of the records."""
    made = {"run_id": training.run_id, "asked_by": training.asked_by}
    return {"kind": DECISION, "at": at.isoformat(), "as_of": as_of, **made, **decision.to_dict()}


def of_a_dead_run(instance: dg.DagsterInstance, path: Path) -> dict[str, Any] | None:
    """The last decision's record where its run did not live to its end, else None."""
    told = [one for one in read_records(path) if one["kind"] == DECISION]
    run = instance.get_run_by_id(told[-1]["run_id"]) if told else None
    is_dead = run is not None and run.status is dg.DagsterRunStatus.FAILURE
    return told[-1] if is_dead else None


def record_once(instance: dg.DagsterInstance, path: Path, record: Mapping[str, object]) -> None:
    """Add a decision to the records, unless the last one is the same and its run did not live to its end: a
    kill after the record must not make two decisions of one."""
    stands = of_a_dead_run(instance, path)
    plain = json.loads(json.dumps(record))
    names = plain.keys() - _OF_A_RUN
    if stands is None or any(stands.get(name) != plain[name] for name in names):
        append_record(path, record)


_DECISIONS = """
create or replace table registry.decisions as
select "at" as decided_at, as_of, challenger, champion, promote, summary, len(rulings) as rules,
    run_id, asked_by
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
