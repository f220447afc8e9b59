"""What is worth an alert besides a failed run: a report that asks for a decision, a day not lived.

Belongs here: the findings and their words. Does not belong here: how people are told (notify).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from monitoring.areas import TITLES, AreaReport, Verdict
from orchestration.days import lived_days
from orchestration.home import LIVE, Home
from orchestration.notify import State, notify
from orchestration.report_links import report_url
from orchestration.settings import Settings

_REASONS = 5


@dataclass(frozen=True, slots=True)
class Missed:
    """A day of a live home that should have been lived, and the last one that was (None = none)."""

    day: date
    last_lived: date | None

    @property
    def words(self) -> str:
        """What was expected, found, and the command that mends it."""
        last = f"{self.last_lived} as the last one" if self.last_lived else "no day"
        return (
            f"expected {self.day} to be lived, found {last}; see why in `segue ui` and run "
            f"`segue run daily --day {self.day}`"
        )


def tell_of_act(settings: Settings, report: AreaReport, at: datetime) -> State | None:
    """Alert on a report that says `act`, once a day and area; nothing for another verdict."""
    if report.verdict is not Verdict.ACT:
        return None
    reasons = "\n".join(f"* {reason}" for reason in report.reasons[:_REASONS])
    return notify(
        settings,
        at=at,
        title=f"{TITLES[report.area]} of {report.day}: act",
        text=f"{reasons}\n{report_url(settings, report.html)}\n"
        f"segue review {report.day} {report.area} --decision keep|retrain|rollback --note WHY",
        finding=f"act/{report.day}/{report.area}",
    )


def missed_day(settings: Settings, home: Home, now: datetime, by_hour: int) -> Missed | None:
    """The latest day of a live home that is due and was not lived; None for another home.

    Yesterday is due from `by_hour` (UTC) on, before that the day before it. The history has no reports
    and is never due.
    """
    if home.source.kind != LIVE:
        return None
    due = now.date() - timedelta(days=1 if now.hour >= by_hour else 2)
    if due < home.first_day or (home.history_end is not None and due <= home.history_end):
        return None
    lived = lived_days(settings)
    return None if due in lived else Missed(due, max(lived, default=None))


def tell_of_missed(settings: Settings, missed: Missed, at: datetime) -> State | None:
    """Alert on a day that was not lived, once a day."""
    return notify(
        settings,
        at=at,
        title=f"{missed.day} was not lived",
        text=missed.words,
        finding=f"missed/{missed.day}",
    )
