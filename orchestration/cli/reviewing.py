"""`segue review`.

Belongs here: listing and closing reports. Does not belong here: the record (monitoring.review) or what
a decision sets in motion (orchestration.decisions).
"""

import getpass
from collections.abc import Sequence
from datetime import UTC, date, datetime

from ml.errors import SegueError
from monitoring.areas import AreaReport, Verdict
from monitoring.review import Decision, Review, open_reports, prospective
from orchestration.cli.console import console, show, then, working
from orchestration.cli.jobs import a_day
from orchestration.settings import Settings, load_settings, prepare_process

_COLOURS = {"act": "red", "watch": "yellow", "ok": "green"}
_REASONS = 3


def list_open() -> None:
    """Open reports, worst first, with their reasons; those that say ok in a line a day."""
    settings = load_settings()
    waiting = open_reports(settings.reports)
    if not waiting:
        console.print("No report is open.")
        then("segue run daily")
        return
    asking = [one for one in waiting if one.verdict is not Verdict.OK]
    rows = [
        [
            f"[{_COLOURS[one.verdict.value]}]{one.verdict.value}[/]",
            one.day.isoformat(),
            one.area,
            _reasons(one),
        ]
        for one in asking
    ]
    quiet = [one for one in waiting if one.verdict is Verdict.OK]
    rows += [
        [f"[{_COLOURS['ok']}]ok[/]", day.isoformat(), f"{len(areas)} of them", ", ".join(areas)]
        for day, areas in _by_day(quiet).items()
    ]
    show(f"{len(waiting)} open reports", ["verdict", "day", "area", "reasons"], rows)
    worst = waiting[0]
    console.print(f"The worst one: {worst.html}", soft_wrap=True)
    then(f"segue review {worst.day} {worst.area} --decision keep|retrain|rollback --note WHY")


def close_report(day: str, area: str, decision: str, note: str, reviewer: str) -> None:
    """Record a review and do what it decides.

    Raises:
        SegueError: no such report, another decision stands, or what was decided cannot be done.
    """
    wanted = a_day(day)
    if wanted is None:
        raise SegueError("expected a day, found nothing; run `segue review`")
    settings = load_settings()
    who = reviewer or getpass.getuser()
    at = datetime.now(UTC)
    # What is wrong with the input ends here, before a run begins.
    review = prospective(settings.reports, wanted, area, decision, note, who, at)
    if review.decision is Decision.KEEP:
        from orchestration.decisions import close

        close(settings, review)
    else:
        _in_a_run(settings, review)
    console.print(f"{area} of {day} closed by {review.reviewer}: {review.decision.value}")
    then("segue evaluate" if review.decision is Decision.RETRAIN else "segue review")


def _in_a_run(settings: Settings, review: Review) -> None:
    """The job that the UI's form starts, so that decision and consequence stand in the list of runs."""
    prepare_process(settings)
    from orchestration.decisions import review_tags
    from orchestration.review_job import launch_of
    from orchestration.running import execute

    launch = launch_of(
        review.day,
        review.area,
        review.decision.value,
        review.note,
        review.reviewer,
        review_tags(review),
    )
    with working(f"review {review.review_id}: {review.decision.value}"):
        execute(settings, launch)


def _reasons(report: AreaReport) -> str:
    shown = "\n".join(report.reasons[:_REASONS])
    rest = len(report.reasons) - _REASONS
    return f"{shown}\nand {rest} more" if rest > 0 else shown or "nothing unusual"


def _by_day(reports: Sequence[AreaReport]) -> dict[date, list[str]]:
    found: dict[date, list[str]] = {}
    for one in reports:
        found.setdefault(one.day, []).append(one.area)
    return found
