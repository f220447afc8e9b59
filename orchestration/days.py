"""Which day comes next.

Belongs here: the home's clock. Does not belong here: launching (orchestration.schedules, cli).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ml.lake.store import Lake
from orchestration.home import LIVE, SIMULATED, Home
from orchestration.settings import Settings


@dataclass(frozen=True, slots=True)
class NextDay:
    """The day to live next, or why there is none."""

    day: date | None
    reason: str


def recommended_days(settings: Settings) -> list[date]:
    """Data days with published recommendations, ascending."""
    paths = settings.recommendations.glob("day=*/part.parquet")
    return sorted(date.fromisoformat(path.parent.name.removeprefix("day=")) for path in paths)


def next_day(settings: Settings, home: Home, now: datetime) -> NextDay:
    """The next day of the home: yesterday of a live one, else the next with data and without lists."""
    if home.source.kind == LIVE:
        return NextDay(now.date() - timedelta(days=1), "yesterday")
    held = Lake(settings.home).days("listens")
    if not held or not settings.warehouse.exists():
        return NextDay(None, "the history is not built yet: run `segue run bootstrap`")
    if not any(settings.bundles.glob("*/manifest.json")):
        return NextDay(None, "there is no model yet: run `segue run train`")
    done = recommended_days(settings)
    after = max([home.bootstrap_end, *done]) if home.history_end else max(done, default=None)
    if home.source.kind == SIMULATED:
        coming = (after or home.bootstrap_end) + timedelta(days=1)
        if home.last_day is None or coming <= home.last_day:
            return NextDay(coming, "the simulated world lives on")
        return NextDay(None, f"the simulated world ends on {home.last_day}")
    waiting = [day for day in held if after is None or day > after]
    if waiting:
        return NextDay(waiting[0], "the next day that holds data")
    return NextDay(None, f"every day that holds data is done, the last is {held[-1]}")
