"""What a home is: its days, where its listens come from, what its data cannot support.

Belongs here: home.json. Does not belong here: paths (orchestration.settings).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta

from ml.errors import SegueError
from ml.files import replace_text
from ml.serving.batch import ACTIVE_DAYS
from orchestration.settings import Settings

SIMULATED, IMPORTED, LIVE = "simulated", "imported", "live"
DAILY, MONTHLY = "day", "month"
# Data days that are partitions of their own when a long history is imported.
LISTED_DAYS = 60


class HomeError(SegueError):
    """The home is missing or cannot do what is asked."""


@dataclass(frozen=True)
class Source:
    """Where listens come from. `kind` is simulated, imported or live."""

    kind: str
    format: str = ""
    path: str = ""
    options: dict[str, str] = field(default_factory=dict)
    seed: int = 7
    listeners: int = 0
    tracks: int = 0
    incident: str = ""
    incident_day: str = ""


@dataclass(frozen=True)
class Home:
    """First and last data day (None = still growing), the source, limits of the data, the day
    through which `bootstrap` builds the history (None = to the last day), how often the data holds a
    day (`day`, or `month` where every data day is the first of one), and the day from which days are
    partitions of their own (None = the first)."""

    first_day: date
    last_day: date | None
    source: Source
    limits: tuple[str, ...] = ()
    history_end: date | None = None
    rhythm: str = DAILY
    partitions_from: date | None = None

    @property
    def first_partition(self) -> date:
        """The first partition's day; it stands for every earlier day too."""
        return self.partitions_from or self.first_day

    def after(self, day: date) -> date:
        """The day on which the period that begins on `day` is over."""
        if self.rhythm == MONTHLY:
            return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        return day + timedelta(days=1)

    @property
    def active_days(self) -> int:
        """Days after a listen in which its listener gets lists: four weeks, or two of its months."""
        return 62 if self.rhythm == MONTHLY else ACTIVE_DAYS

    @property
    def bootstrap_end(self) -> date:
        """Last day of the history.

        Raises:
            HomeError: a live home that names no end of its history.
        """
        end = self.history_end or self.last_day
        if end is None:
            raise HomeError(
                "expected the last day of the history, found a live home without one; "
                "run `segue run bootstrap --day YYYY-MM-DD`"
            )
        return end


def read_home(settings: Settings) -> Home:
    """The home's record.

    Raises:
        HomeError: there is none yet.
    """
    if not settings.home_file.is_file():
        raise HomeError(
            f"expected a Segue home in {settings.home}, found no home.json; "
            "run `segue simulate` or `segue import FORMAT PATH` to begin one"
        )
    stored = json.loads(settings.home_file.read_text())
    return Home(
        date.fromisoformat(stored["first_day"]),
        _day(stored["last_day"]),
        Source(**stored["source"]),
        tuple(stored["limits"]),
        _day(stored.get("history_end")),
        stored.get("rhythm", DAILY),
        _day(stored.get("partitions_from")),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def write_home(settings: Settings, home: Home) -> None:
    """Store the record, aside and renamed."""
    stored = {
        "first_day": home.first_day.isoformat(),
        "last_day": home.last_day.isoformat() if home.last_day else None,
        "source": asdict(home.source),
        "limits": list(home.limits),
        "history_end": home.history_end.isoformat() if home.history_end else None,
        "rhythm": home.rhythm,
        "partitions_from": home.partitions_from.isoformat() if home.partitions_from else None,
    }
    replace_text(settings.home_file, json.dumps(stored, indent=1))


def widened(home: Home, days: Sequence[date], limits: tuple[str, ...]) -> Home:
    """The home after an import; `days` are all data days of its lake, ascending."""
    last = max(home.last_day, days[-1]) if home.last_day else None
    merged = tuple(sorted(set(home.limits) | set(limits)))
    # Days before those that are partitions already go with the first of them.
    is_earlier = days[0] < home.first_day
    return replace(
        home,
        partitions_from=home.first_partition if is_earlier else home.partitions_from,
        first_day=min(home.first_day, days[0]),
        last_day=last,
        limits=merged,
        # A live home is asked for by the day, whatever its first files looked like.
        rhythm=DAILY if home.source.kind == LIVE else rhythm_of(days),
    )


def partitions_from(days: Sequence[date]) -> date | None:
    """The day from which the days of a new home are partitions of their own, None = all of them.

    Dagster writes two events for each partition and table, about 20 ms of work a pair: two years of
    days would cost ten minutes in every bootstrap, and nobody clicks on their first day.
    """
    if len(days) <= 2 * LISTED_DAYS or rhythm_of(days) == MONTHLY:
        return None
    return days[-LISTED_DAYS]


def rhythm_of(days: Sequence[date]) -> str:
    """`month` when the source dates events by the month: each data day is the first of one.

    A partition a day would then be mostly silent: six years of months are 70 partitions instead of
    2,100, and Dagster writes an event for each partition and table.
    """
    return MONTHLY if len(days) > 2 and all(day.day == 1 for day in days) else DAILY
