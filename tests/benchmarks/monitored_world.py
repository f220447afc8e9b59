"""A simulated world without Dagster, dbt or HTML: its listens as the warehouse would hold them.

Belongs here: living quiet days under a frozen champion's lists, forks into incidents, and
intermediate.listens computed in NumPy. Does not belong here: judging the days (bench_monitoring).
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.simulation.config import Incident
from ml.simulation.living import LivedDay, initial_state, live_day
from ml.simulation.memory import SimulationState
from ml.simulation.world import World
from ml.tables import SESSION_GAP, STREAM_MS
from tests.benchmarks.light_champion import (
    Answer,
    Champion,
    Known,
    Rows,
    answer,
    nothing_known,
    trained,
    words_of,
)

Ints = NDArray[np.int64]
_POPULAR = 20


@dataclass(frozen=True, slots=True)
class Lived:
    """A day as monitoring meets it: `listens` that became known (columns of intermediate.listens) and
    the same as codes, the `lists` in force on it and the `next_lists` made at its end (None without a
    champion), the most `popular` track ids known before it."""

    day: date
    listens: pa.Table
    rows: Rows
    lists: Answer | None
    next_lists: Answer | None
    popular: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Life:
    """Where a world stands: the simulator's state, what was heard (listeners, tracks) and `until`
    when (listeners, microseconds, -1 = never), what is known now
    and was known `before` the last day's `rows`, the champion and its lists in force. Never changed: a
    fork is the same value lived on."""

    world: World
    state: SimulationState
    heard: NDArray[np.bool_]
    until: Ints
    known: Known
    before: Known | None = None
    rows: Rows | None = None
    champion: Champion | None = None
    lists: Answer | None = None

    @property
    def today(self) -> date:
        """The day to be lived next."""
        return self.world.config.first_day + timedelta(days=self.state.day)

    def lived(self, incident: str | None = None, since: date | None = None) -> tuple[Lived, "Life"]:
        """The next day, and life after it; an incident goes on `since` its first day."""
        day = self.today
        told = Incident(incident, since or day) if incident else None
        lists = self.lists.table if self.lists else None
        found, state = live_day(self.world, self.state, recommendations=lists, incident=told)
        past = self.heard, self.until
        listens, rows, (heard, until) = warehouse_listens(self.world, found, past, day)
        known = self.known.after(rows, self.world.catalogue.artist.astype(np.int64))
        made = None
        if self.champion is not None:
            seed = self.world.config.seed * 1_000 + self.state.day
            made = answer(self.world, self.champion, known, day, seed)
        life = replace(
            self,
            state=state,
            heard=heard,
            until=until,
            known=known,
            before=self.known,
            rows=rows,
            lists=made,
        )
        return Lived(day, listens, rows, self.lists, made, self._popular()), life

    def _popular(self) -> tuple[str, ...]:
        best = np.argsort(-self.known.track_plays22, kind="stable")[:_POPULAR]
        return tuple(self.world.catalogue.table["track_id"].take(pa.array(best)).to_pylist())

    def with_champion(self) -> "Life":
        """The same with a champion that learned from the day just lived, and its first lists.

        Vectors are of the tracks known by then; the ranker is frozen from here on.
        """
        day = self.state.day
        vectors = words_of(self.world, int((self.world.catalogue.known < day).sum()))
        champion = trained(self.world, vectors, self.before, self.rows, self.world.config.seed)
        seed = self.world.config.seed * 1_000 + day
        made = answer(self.world, champion, self.known, self.today - timedelta(days=1), seed)
        return replace(self, champion=champion, lists=made)


def begin(world: World) -> Life:
    """Before the first day."""
    shape = (len(world.listeners.known), world.catalogue.size)
    never = np.full(shape[0], -1, np.int64)
    return Life(world, initial_state(world), np.zeros(shape, np.bool_), never, nothing_known(world))


Past = tuple[NDArray[np.bool_], Ints]


def warehouse_listens(
    world: World, lived: LivedDay, past: Past, day: date
) -> tuple[pa.Table, Rows, Past]:
    """(intermediate.listens of what became known on `day`, the same as codes, the past after it).

    `past` are what was heard (listeners, tracks) and until when (listeners). As the dbt model has it: the
    artist, streams of 30 s or more, the first listen of a pair by (known day, played at, id), sessions with
    no gap over 30 minutes; what was played before something an earlier day knew is in sessions of its own.
    """
    heard, until = past
    table = lived.listens.sort_by([("played_at", "ascending"), ("listen_id", "ascending")])
    user = _codes(table["user_id"], world.listeners.table["user_id"])
    track = _codes(table["track_id"], world.catalogue.table["track_id"])
    size = len(table)
    first = ~heard[user, track]
    first &= _is_earliest(user * heard.shape[1] + track)
    after = heard.copy()
    after[user, track] = True
    is_stream = pc.fill_null(pc.greater_equal(table["ms_played"], STREAM_MS), True).to_numpy()
    micros = table["played_at"].cast(pa.int64()).to_numpy().astype(np.int64)
    latest = until.copy()
    np.maximum.at(latest, user, micros)
    columns = {
        "listen_id": table["listen_id"],
        "user_id": table["user_id"],
        "track_id": table["track_id"],
        "artist_id": world.catalogue.table["artist_id"].take(pa.array(track)),
        "played_at": table["played_at"],
        "ms_played": table["ms_played"],
        "surface": table["surface"],
        "request_id": table["request_id"],
        "known_at": table["known_at"],
        "known_on": pa.array([day] * size, pa.date32()),
        "session_id": _sessions(user, micros, micros < until[user]),
        "is_stream": is_stream,
        "is_skip": ~is_stream,
        "is_first": first,
    }
    return pa.table(columns), Rows(user, track, is_stream), (after, latest)


def _is_earliest(pair: Ints) -> NDArray[np.bool_]:
    first = np.zeros(len(pair), np.bool_)
    first[np.unique(pair, return_index=True)[1]] = True
    return first


def _sessions(user: Ints, micros: Ints, late: NDArray[np.bool_]) -> Ints:
    order = np.lexsort((micros, late, user))
    gap = np.diff(micros[order]) > SESSION_GAP.total_seconds() * 1e6
    other = (np.diff(user[order]) != 0) | (np.diff(late[order].astype(np.int8)) != 0)
    code = np.zeros(len(user), np.int64)
    code[order[1:]] = np.cumsum(gap | other)
    return code


def _codes(column: pa.ChunkedArray, known: pa.ChunkedArray) -> Ints:
    found: Ints = np.asarray(pc.index_in(column, value_set=known.combine_chunks()), dtype=np.int64)
    return found
