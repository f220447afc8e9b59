"""Which day comes next.

Belongs here: the home's clock. Does not belong here: launching (orchestration.schedules, cli).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ml.lake.store import Lake
from monitoring.areas import AREAS
from orchestration.home import LIVE, SIMULATED, Home
from orchestration.resources import RegistryResource, WarehouseResource
from orchestration.settings import Settings
from orchestration.unserved import advice
from orchestration.warehouse_facts import built_until


@dataclass(frozen=True, slots=True)
class NextDay:
    """The day to live next, or why there is none."""

    day: date | None
    reason: str


def recommended_days(settings: Settings) -> list[date]:
    """Data days with published recommendations, ascending."""
    paths = settings.recommendations.glob("day=*/part.parquet")
    return sorted(date.fromisoformat(path.parent.name.removeprefix("day=")) for path in paths)


def lived_days(settings: Settings) -> list[date]:
    """Data days whose reports are all written, ascending: the last steps of a daily run."""
    folders = settings.reports.glob("day=*")
    whole = [one for one in folders if all((one / f"{area}.json").is_file() for area in AREAS)]
    return sorted(date.fromisoformat(folder.name.removeprefix("day=")) for folder in whole)


def next_day(settings: Settings, home: Home, now: datetime) -> NextDay:
    """The next day of the home that was not lived: of a live one up to yesterday, else one with data."""
    held = Lake(settings.home).days("listens")
    if not held or not settings.warehouse.exists():
        return NextDay(None, "the history is not built yet: run `segue run bootstrap`")
    if not _has_champion(settings):
        return NextDay(None, f"no model serves yet: {advice(settings.training)}")
    lived = lived_days(settings)
    if home.source.kind == LIVE:
        # Days build on one another: after a morning without Segue the day before yesterday comes first.
        yesterday = now.date() - timedelta(days=1)
        coming = max([home.bootstrap_end, *lived]) + timedelta(days=1)
        if coming <= yesterday:
            reason = "yesterday" if coming == yesterday else "a day that was missed"
            return NextDay(coming, reason)
        return NextDay(None, f"every day up to {yesterday} is lived")
    if home.source.kind == SIMULATED:
        coming = max([home.bootstrap_end, *lived]) + timedelta(days=1)
        if home.last_day is None or coming <= home.last_day:
            return NextDay(coming, "the simulated world lives on")
        return NextDay(None, f"the simulated world ends on {home.last_day}")
    built = _built()
    ended = [home.history_end] if home.history_end else []
    after = max([*ended, *lived], default=date.min)
    # The latest built day may be lived again, an earlier one not: days build on one another.
    waiting = [day for day in held if day > after and home.after(day) >= built]
    if waiting:
        return NextDay(waiting[0], "the next day that holds data")
    return NextDay(None, f"every day that holds data is done, the last is {held[-1]}")


def _has_champion(settings: Settings) -> bool:
    # Asking MLflow costs 2 s of imports: a home without a bundle need not.
    if not any(settings.bundles.glob("*/manifest.json")):
        return False
    return RegistryResource().open().champion() is not None


def _built() -> date:
    """The day before which everything is built."""
    return min(WarehouseResource().ask(built_until, default={}).values(), default=date.min)
