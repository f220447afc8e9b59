"""What a listener has heard since midnight: context of a request, not state.

Belongs here: the day's listens by listener, kept up with the journal. Does not belong here: which
tracks a request may then offer (ml/policy).

A listen counts from the instant at which it was received: looking back at `at`, nothing is seen that
was received then or later, in serving as in training.
"""

import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from ml.serving.events.tail import Tail
from ml.sources.events import event_days
from ml.tables import STREAM_MS

# The running day, the one before it around midnight, and one that somebody looks back at.
_DAYS_HELD = 3


@dataclass(frozen=True, slots=True)
class TodayListens:
    """Listens of one listener, oldest first: `played_at` in UTC, `skipped` where under 30 s."""

    track_ids: list[str]
    played_at: list[datetime]
    skipped: list[bool]


# played_at, known_at, listen_id, track_id, skipped: in the order in which they sort.
_Listen = tuple[datetime, datetime, str, str, bool]


@dataclass(slots=True)
class _Day:
    tail: Tail
    midnight: datetime
    by_user: dict[str, list[_Listen]]

    def refresh(self) -> None:
        """Take the new lines in. They are few at a time: a table would cost more than the loop.

        Twenty impressions an answer are nine lines of ten.
        """
        for row in self.tail.events(but="impression"):
            if row.get("kind") != "listen":
                continue
            try:
                user_id, listen = _listen(row)
            except (KeyError, TypeError, ValueError):
                # A damaged line: it is quarantined when the day enters the lake.
                continue
            if listen[0] >= self.midnight:
                self.by_user.setdefault(user_id, []).append(listen)


class Today:
    """The journal's listens of the days asked for lately, about 300 bytes each. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        """The folder need not exist yet."""
        self._folder = folder
        self._days: dict[date, _Day] = {}
        self._reading = threading.Lock()

    def refresh(self) -> None:
        """Read what was appended, by any process, since the last call: a look at the sizes of the
        segments of the days held, and the new bytes. The first call reads the newest day."""
        with self._reading:
            days = list(self._days) or event_days(self._folder)[-1:]
            for day in days:
                self._hold(day).refresh()

    def holds(self, day: date) -> bool:
        """Whether `listens` has that day at once."""
        return day in self._days

    def listens(self, user_id: str, at: datetime) -> TodayListens:
        """Listens since 00:00 UTC of the day of `at` that were received before `at`, as of the last
        refresh; a day asked for the first time is read then.

        An id that two processes took counts once. Unknown listeners have none.
        """
        day = at.astimezone(UTC).date()
        with self._reading:
            if day not in self._days:
                self._hold(day).refresh()
            held = sorted(self._days[day].by_user.get(user_id, ()))
        before = {listen[2]: listen for listen in reversed(held) if listen[1] < at}
        kept = sorted(before.values())
        return TodayListens(
            [track for _, _, _, track, _ in kept],
            [played_at for played_at, *_ in kept],
            [skipped for *_, skipped in kept],
        )

    def _hold(self, day: date) -> _Day:
        held = self._days.pop(day, None)
        midnight = datetime.combine(day, time.min, UTC)
        # The day asked for last stands last: the one that nobody asks for goes.
        self._days[day] = held or _Day(Tail(self._folder, day), midnight, {})
        if len(self._days) > _DAYS_HELD:
            del self._days[next(iter(self._days))]
        return self._days[day]


def _listen(row: Mapping[str, Any]) -> tuple[str, _Listen]:
    """A line's listener and listen."""
    ms_played = row["ms_played"]
    return row["user_id"], (
        datetime.fromisoformat(row["played_at"]),
        datetime.fromisoformat(row["known_at"]),
        row["listen_id"],
        # A track is heard by many: one text serves them all.
        sys.intern(row["track_id"]),
        ms_played is not None and ms_played < STREAM_MS,
    )
