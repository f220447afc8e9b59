"""`segue review`.

Belongs here: listing and closing reports. Does not belong here: the record (monitoring.review).
"""

import getpass
from datetime import UTC, datetime

from ml.errors import SegueError
from monitoring.review import open_reports, record_review
from orchestration.cli.console import console, show, then
from orchestration.cli.jobs import a_day
from orchestration.settings import load_settings

_COLOURS = {"act": "red", "watch": "yellow", "ok": "green"}


def list_open() -> None:
    """Open reports, worst first, with their first reason."""
    settings = load_settings()
    waiting = open_reports(settings.reports)
    if not waiting:
        console.print("No report is open.")
        then("segue run daily")
        return
    rows = [
        [
            f"[{_COLOURS[one.verdict.value]}]{one.verdict.value}[/]",
            one.day.isoformat(),
            one.area,
            one.reasons[0] if one.reasons else "nothing unusual",
        ]
        for one in waiting
    ]
    show(f"{len(waiting)} open reports", ["verdict", "day", "area", "first reason"], rows)
    worst = waiting[0]
    console.print(f"The worst one: {worst.html}")
    then(f"segue review {worst.day} {worst.area} keep|retrain|rollback --note WHY")


def close_report(day: str, area: str, decision: str, note: str, reviewer: str) -> None:
    """Record a review."""
    wanted = a_day(day)
    if wanted is None:
        raise SegueError("expected a day, found nothing; run `segue review`")
    who = reviewer or getpass.getuser()
    reports = load_settings().reports
    review = record_review(reports, wanted, area, decision, note, who, datetime.now(UTC))
    console.print(f"{area} of {day} closed by {review.reviewer}: {review.decision.value}")
    following = {
        "retrain": "segue run train",
        "keep": "segue review",
        "rollback": "segue rollback --why WHY",
    }
    then(following[review.decision.value])
