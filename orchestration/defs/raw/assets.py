"""The raw tables: what arrived on a day.

Belongs here: the raw assets and their checks. Does not belong here: how a home receives a day
(orchestration.receiving).
"""

from collections.abc import Iterator

import dagster as dg

from ml.lake.report import HEADER, ImportReport
from orchestration.groups import in_group
from orchestration.keys import RAW
from orchestration.partitions import DAYS, ONE_RANGE, run_days
from orchestration.receiving import receive
from orchestration.resources import HomeResource

_WORDS = {
    "listens": "Every listen that became known on the day: who played what, when, for how long.",
    "tracks": "Tracks, and new versions of tracks, that became known on the day.",
    "users": "Listeners, and changes of their profile, that became known on the day.",
    "friendships": "Who follows whom, as it became known on the day; a home may have none.",
    "impressions": "What was shown to listeners on the day, position by position.",
}


def report_markdown(report: ImportReport, table: str) -> str:
    """The files of one table as a markdown table."""
    rows = [file.row() for file in report.files if file.table == table]
    lines = ["| " + " | ".join(HEADER) + " |", "|" + " --- |" * len(HEADER)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def table_metadata(report: ImportReport, table: str) -> dict[str, int | str | dg.MetadataValue]:
    """Rows, quarantined rows and files of one table, and what is worth saying about all of them."""
    files = [file for file in report.files if file.table == table]
    return {
        "dagster/row_count": sum(file.accepted + file.already_known for file in files),
        "quarantined": sum(file.quarantined for file in files),
        "files": dg.MetadataValue.md(report_markdown(report, table)),
        **({"notes": "\n".join(report.notes)} if report.notes else {}),
    }


def nothing_lost(report: ImportReport) -> dg.AssetCheckResult:
    """received = accepted + already known + quarantined, for every file."""
    bad = [
        file.path
        for file in report.files
        if file.received != file.accepted + file.already_known + file.quarantined
    ]
    return dg.AssetCheckResult(
        passed=not bad,
        check_name="nothing_is_lost",
        asset_key=RAW["listens"],
        metadata={"files": len(report.files), "files that do not add up": ", ".join(bad) or "none"},
    )


def few_quarantined(report: ImportReport) -> dg.AssetCheckResult:
    """At most one row in a hundred went to quarantine."""
    received = sum(file.received for file in report.files)
    share = report.quarantined / received if received else 0.0
    return dg.AssetCheckResult(
        passed=share <= 0.01,
        check_name="few_rows_quarantined",
        asset_key=RAW["listens"],
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"received": received, "quarantined": report.quarantined, "share": share},
    )


@dg.multi_asset(
    name="raw",
    specs=[
        dg.AssetSpec(key, **in_group("raw"), description=_WORDS[name], kinds={"parquet"})
        for name, key in RAW.items()
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "nothing_is_lost",
            asset=RAW["listens"],
            blocking=True,
            description="Received = accepted + already known + quarantined, for every file.",
        ),
        dg.AssetCheckSpec(
            "few_rows_quarantined",
            asset=RAW["listens"],
            description="At most one row in a hundred went to quarantine.",
        ),
    ],
    partitions_def=DAYS,
    backfill_policy=ONE_RANGE,
)
def raw(
    context: dg.AssetExecutionContext, home: HomeResource
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Receive the run's days into the lake."""
    start, end = run_days(context)
    report = receive(home.settings, home.record, start, end)
    for name, key in RAW.items():
        yield dg.MaterializeResult(asset_key=key, metadata=table_metadata(report, name))
    yield nothing_lost(report)
    yield few_quarantined(report)
