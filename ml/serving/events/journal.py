"""The journal: an event that was acknowledged is on the disk and counts once.

Belongs here: the order of checking, comparing, writing and acknowledging. Does not belong here: what
fits (validation.py), files (segment.py), the way into the lake (ml/sources/events.py).

Every process writes segments of its own, one for what it received and one for what its answers showed. It knows the events of yesterday and today that were durable
when it began, and those it wrote; of what another process writes meanwhile it learns nothing. The same
event sent to two processes at a time, or to two threads of one process while neither copy is on the disk,
may therefore stand twice in the journal: the lake takes it once and counts the other as already known. So
does Today.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import orjson

from ml.serving.events.closing import admitted, open_lock
from ml.serving.events.known import KnownEvents
from ml.serving.events.segment import Succession
from ml.serving.events.shown import ShownList
from ml.serving.events.tail import Tail
from ml.serving.events.validation import (
    Event,
    UnfitEventError,
    Value,
    checked,
    fingerprint,
    instant_text,
    stored_fingerprint,
)
from ml.sources.events import SHOWN_SEGMENT, event_days

# Whoever sends a batch again does so within a day; later the lake still counts it once.
_DAYS_KNOWN = 2
# A segment is read as one file of an import: its rows are held at once.
_SEGMENT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Rejected:
    """The place of an event in its batch (from 0) and why it was not taken."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch: accepted + already known + rejected = sent."""

    accepted: int
    already_known: int
    rejected: tuple[Rejected, ...]


@dataclass(slots=True)
class _Batch:
    """A batch by verdict: new events in order, their contents by key, how many are known already."""

    new: list[Event] = field(default_factory=list)
    contents: dict[int, int] = field(default_factory=dict)
    known: int = 0
    rejected: list[Rejected] = field(default_factory=list)


class Journal:
    """The journal of a home, for one process; make it in the process that uses it. Threads may share it.

    Yesterday and today are read at the start: about 3 s for a million events.
    """

    def __init__(self, folder: Path, segment_bytes: int = _SEGMENT_BYTES) -> None:
        """`folder` is created; a segment of `segment_bytes` or more is followed by the next.

        Raises SegueError where the folder cannot be made.
        """
        self._folder = folder
        self._lock = open_lock(folder)
        self._writing = threading.Lock()
        self._events = Succession(folder, segment_bytes)
        self._shown = Succession(folder, segment_bytes, SHOWN_SEGMENT)
        days = event_days(folder)[-_DAYS_KNOWN:]
        self._known = {day: _known_events(folder, day) for day in days}

    def append(self, rows: Sequence[Mapping[str, object]], received_at: datetime) -> Appended:
        """Take the fit events of a batch; they are durable when this returns.

        A row is a mapping of `kind` (listen, impression) and the columns of its table (ml/tables.py).
        `known_at` becomes `received_at`, or the first instant of the first open day when the day of
        receipt is closed.

        Raises:
            JournalError: the disk refused; nothing of the batch was acknowledged, it may be sent again.
            ValueError: `received_at` has no zone.
        """
        if received_at.tzinfo is None:
            raise ValueError(f"expected received_at with a zone, found {received_at}")
        events, unfit = _checked(rows, received_at)
        with self._writing, admitted(self._folder, self._lock) as first_open:
            known_at = _known_at(received_at, first_open)
            batch = self._sort(events)
            if not batch.new:
                return _answer(batch, unfit)
            segment = self._events.of(known_at.date())
            place = segment.write(b"".join(_line(event, known_at) for event in batch.new))
        segment.sync(place)
        # Only now: what counts as already known is durable, also for a batch that came meanwhile.
        self._remember(known_at.date(), batch.contents)
        return _answer(batch, unfit)

    def append_shown(self, lists: Sequence[ShownList], received_at: datetime) -> None:
        """Take what the service's own answers showed, shown by `received_at`; durable when this returns.

        The lists are not judged, and as their requests are new none is known already.

        Raises:
            JournalError: the disk refused; nothing of the lists was taken.
        """
        with self._writing, admitted(self._folder, self._lock) as first_open:
            known_at = _known_at(received_at, first_open)
            rows = [row for one in lists for row in one.rows(known_at)]
            segment = self._shown.of(known_at.date())
            place = segment.write(b"".join([_line_of(row) for row in rows]))
        segment.sync(place)
        self._remember(known_at.date(), dict(map(fingerprint, rows)))

    def close(self) -> None:
        """Let go of the files; the journal takes nothing more."""
        with self._writing:
            self._events.close()
            self._shown.close()
            self._lock.close()

    def _remember(self, day: date, contents: dict[int, int]) -> None:
        """Contents by key of events that are durable now."""
        with self._writing:
            if day not in self._known:
                oldest = day - timedelta(days=_DAYS_KNOWN - 1)
                self._known = {one: known for one, known in self._known.items() if one >= oldest}
                self._known[day] = KnownEvents()
            self._known[day].add(contents)

    def _sort(self, events: Mapping[int, Event]) -> _Batch:
        """Events by place in the batch, against the known ones and against each other."""
        prints = {index: event.fingerprint for index, event in events.items()}
        held: dict[int, int] = {}
        for known in self._known.values():
            held.update(known.contents([key for key, _ in prints.values()]))
        batch = _Batch()
        for index, event in events.items():
            key, content = prints[index]
            first = held.get(key, batch.contents.get(key))
            if first is None:
                batch.new.append(event)
                batch.contents[key] = content
            elif first == content:
                batch.known += 1
            else:
                batch.rejected.append(Rejected(index, event.contradiction))
        return batch


def _checked(
    rows: Sequence[Mapping[str, object]], received_at: datetime
) -> tuple[dict[int, Event], list[Rejected]]:
    """Fit events by their place, and the others with their reasons."""
    events: dict[int, Event] = {}
    unfit: list[Rejected] = []
    for index, row in enumerate(rows):
        try:
            events[index] = checked(row, received_at)
        except UnfitEventError as reason:
            unfit.append(Rejected(index, str(reason)))
    return events, unfit


def _answer(batch: _Batch, unfit: list[Rejected]) -> Appended:
    rejected = sorted([*batch.rejected, *unfit], key=lambda one: one.index)
    return Appended(len(batch.new), batch.known, tuple(rejected))


def _known_at(received_at: datetime, first_open: date | None) -> datetime:
    known_at = received_at.astimezone(UTC)
    if first_open is not None and known_at.date() < first_open:
        return datetime.combine(first_open, time.min, UTC)
    return known_at


def _line(event: Event, known_at: datetime) -> bytes:
    return _line_of({**event.values, "known_at": instant_text(known_at)})


def _line_of(row: Mapping[str, Value]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _known_events(folder: Path, day: date) -> KnownEvents:
    known = KnownEvents()
    contents: dict[int, int] = {}
    for row in Tail(folder, day).events(durable=True):
        fingerprint = stored_fingerprint(row)
        if fingerprint is not None:
            contents.setdefault(*fingerprint)
    known.add(contents)
    return known
