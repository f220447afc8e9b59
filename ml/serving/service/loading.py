"""The model in service, and how it changes while it serves.

Belongs here: champion and state from disk to memory, noticing that either changed, the swap. Does not
belong here: answering.
"""

import gc
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread

from ml.errors import SegueError
from ml.registry.bundle import Manifest, verify_bundle
from ml.registry.pointer import read_pointer
from ml.serving.recommender import Recommender
from ml.serving.saved import ENCODER, load_recommender
from ml.serving.service.errors import Refusal
from ml.serving.service.settings import ServiceSettings
from ml.state.publish import StateError, load_state, state_days, state_folder
from ml.state.requests import Asked, one_request
from ml.tables import RECOMMENDED_SURFACES


class PointerError(SegueError):
    """No model was made champion."""


# What reading a bundle or state can raise that is being changed, or whole and from another version of the
# code; none of it ends the service or the watching.
_BROKEN = (SegueError, OSError, ValueError, LookupError, TypeError, AttributeError)
# Days to which a state is kept decayed at once: midnight passes while answers are under way.
_DAYS = 2
# How long before midnight the next day's state is made.
_AHEAD = timedelta(minutes=10)


# How far beyond the service's own time a question may lie: clocks differ, days are not read ahead.
_ASKED_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Served:
    """A bundle bound to a published state: one answer uses one of these from beginning to end."""

    recommender: Recommender
    manifest: Manifest
    state_day: date
    folder: Path
    loaded_at: datetime
    _later: dict[date, Recommender] = field(default_factory=dict)
    # The watch makes days ready while others ask for them.
    _making: threading.RLock = field(default_factory=threading.RLock)

    @property
    def version(self) -> str:
        """The bundle's version."""
        return self.recommender.version

    @property
    def encoder(self) -> Path | None:
        """The bundle's own text encoder, None where it carries none."""
        folder = self.folder / ENCODER
        return folder if folder.is_dir() else None

    def holds(self, day: date) -> bool:
        """Whether `on` has that day at once."""
        return day == self.recommender.state.valid_on or day in self._later

    def on(self, day: date) -> Recommender:
        """The recommender with its state decayed to `day`, the state's own or a later one."""
        if day == self.recommender.state.valid_on:
            return self.recommender
        with self._making:
            found = self._later.get(day)
            if found is None:
                found = self._kept(day, self.recommender.on(day))
        return found

    def _kept(self, day: date, made: Recommender) -> Recommender:
        with self._making:
            while len(self._later) >= _DAYS:
                self._later.pop(next(iter(self._later)))
            self._later[day] = made
        return made

    def prepare(self, now: datetime) -> None:
        """Make the state of today, and shortly before midnight that of tomorrow, before anybody asks:
        decaying 50,000 listeners takes a hundred milliseconds."""
        for at in (now, now + _AHEAD):
            day = at.astimezone(UTC).date()
            if day > self.recommender.state.valid_on and day not in self._later:
                made = self.recommender.on(day)
                _warm(made)
                self._kept(day, made)


Signature = tuple[object, ...]


def _stamps(folder: Path) -> Signature:
    """Name, size, time and inode of every file: another content has another stamp. Every second, beside the
    answers: with paths as objects it takes 2.5 ms."""
    found = []
    for parent, _, files in os.walk(folder):
        for name in files:
            path = f"{parent}/{name}"
            one = os.stat(path)  # noqa: PTH116
            found.append((path, one.st_size, one.st_mtime_ns, one.st_ino))
    return tuple(sorted(found))


def latest_state(states: Path) -> date:
    """The latest published day.

    Raises:
        StateError: there is none.
    """
    days = state_days(states)
    if not days:
        raise StateError("expected a published state, found none; run `segue run daily`")
    return days[-1]


def champion(pointer: Path) -> str:
    """The version that serves.

    Raises:
        PointerError: there is no pointer, or it is damaged.
    """
    found = read_pointer(pointer)
    if found is None:
        raise PointerError(
            f"expected the model that serves in {pointer.name}, found none; run `segue run train`, "
            "then `segue serve`"
        )
    return found.version


def signature(settings: ServiceSettings) -> Signature:
    """What would be loaded now: the champion, the latest state and the stamps of their files."""
    version = champion(settings.pointer)
    day = latest_state(settings.states)
    folders = (settings.bundles / version, state_folder(settings.states, day))
    return (version, day, *(_stamps(folder) for folder in folders))


def load(settings: ServiceSettings, now: datetime) -> Served:
    """The champion with the latest state, both verified file by file, warmed by a first answer.

    Raises:
        SegueError: no champion, no state, or a file differs from its manifest.
    """
    version = champion(settings.pointer)
    folder = settings.bundles / version
    manifest = verify_bundle(folder)
    day = latest_state(settings.states)
    state = load_state(state_folder(settings.states, day), verify=True)
    # One thread an answer: several workers share the cores.
    recommender = load_recommender(folder, version, state, threads=1)
    served = Served(recommender, manifest, day, folder, now)
    _warm(recommender)
    return served


def _warm(recommender: Recommender) -> None:
    """Answer once on each surface: makes what is kept with the state, and fails where ranker and
    features do not fit each other, before anybody is answered so."""
    state = recommender.state
    at = datetime.combine(state.valid_on, datetime.min.time(), tzinfo=UTC)
    users = state.user_ids.slice(0, 1).to_pylist()
    session = state.catalogue.track_ids.slice(0, 2).to_pylist()
    for surface in RECOMMENDED_SURFACES:
        for user in (None, *users):
            asked = Asked(surface, "warm", user, at, session if surface != "home" else ())
            block = one_request(asked, state.user_index, state.track_index)
            recommender.table(recommender.answer(block, 20), state.valid_on)


class Keeper:
    """Holds the model in service and exchanges it in the background.

    A change is acted on when two looks in a row see it, so that a folder in the middle of being replaced
    is left alone. What cannot be loaded leaves the model in memory in service and turns not-ready.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        clock: Callable[[], datetime],
        taken: Callable[[Served, Served | None], None],
    ) -> None:
        """`taken` is called with the new and the former model at every exchange."""
        self._settings = settings
        self._clock = clock
        self._taken = taken
        self._lock = Lock()
        self._loaded: Signature | None = None
        self._failed: Signature | None = None
        self._seen: Signature | None = None
        self._end = Event()
        self._thread = Thread(target=self._watch, name="segue-keeper", daemon=True)
        self.current: Served | None = None
        self.problem: str | None = "no model is loaded yet"

    def start(self) -> None:
        """Load what there is and watch it from now on."""
        self.look(settled=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._end.set()
        self._thread.join()

    @property
    def is_watching(self) -> bool:
        """Whether changes are still noticed."""
        return self._thread.is_alive()

    def look(self, *, settled: bool = False) -> None:
        """Compare disk and memory once; `settled`: act on what is seen for the first time."""
        with self._lock:
            try:
                found = signature(self._settings)
                steady = settled or found == self._seen
                self._seen = found
                if found == self._loaded:
                    self.problem = None
                elif steady and found != self._failed:
                    self._exchange(found)
                if self.current is not None:
                    now = moment(self._settings, self.current, self._clock())
                    self.current.prepare(now)
            except _BROKEN as error:
                self.problem = str(error)

    def _exchange(self, found: Signature) -> None:
        try:
            new = load(self._settings, self._clock())
        except _BROKEN:
            self._failed = found
            raise
        former, self.current = self.current, new
        if former is None:
            gc.collect()
        # What was loaded stays: looking through it again and again for garbage stops answers for 100 ms.
        gc.freeze()
        self._loaded, self._failed, self.problem = found, None, None
        self._taken(new, former)

    def _watch(self) -> None:
        while not self._end.wait(self._settings.watch_seconds):
            self.look()


def moment(settings: ServiceSettings, served: Served, now: datetime) -> datetime:
    """The service's time: the clock's, in a replayed home the clock's hour on the state's day."""
    if not settings.replayed:
        return now
    day = served.state_day + timedelta(days=1)
    return datetime.combine(day, now.timetz())


def admitted(at: datetime | None, served: Served, now: datetime) -> datetime:
    """The time of a question, or now.

    Raises:
        Refusal: 409, a time that the state cannot answer for.
    """
    if at is None:
        return now
    first = served.recommender.state.valid_on
    if at.astimezone(UTC).date() < first or at > now + _ASKED_AHEAD:
        raise Refusal(
            409,
            "no_state",
            f"expected at between {first} and a day from now, found {at.isoformat()}",
        )
    return at.astimezone(UTC)
