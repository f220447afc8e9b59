"""Everything one worker process holds, and what its handlers do.

Belongs here: handlers without HTTP. Does not belong here: routes and models (app, schemas).
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import orjson

from ml.errors import SegueError
from ml.serving.events.journal import Appended, Journal
from ml.serving.events.today import Today
from ml.serving.service.answering import Deadline, Listed, answer_one
from ml.serving.service.committing import Committer
from ml.serving.service.errors import not_ready
from ml.serving.service.explaining import explain_one
from ml.serving.service.limits import Places
from ml.serving.service.listeners import known_listeners
from ml.serving.service.loading import Keeper, Served, admitted, moment
from ml.serving.service.settings import ServiceSettings
from ml.serving.service.similar import bundle_vectors, neighbours, text_vector, track_vector
from ml.serving.service.taste import believed, described
from ml.serving.service.telemetry import Telemetry
from ml.serving.service.turns import Turns, finished
from ml.serving.wishes import Wishes
from ml.state.requests import Asked

T = TypeVar("T")

# Threads of the journal: one gathers impressions, the others wait for the disk with events.
_WRITERS = 5
# How late another worker may learn what this one counted.
_SHOWN_SECONDS = 0.25
# After so long without a look other processes may have stored more events than the loop should read.
_LOOKED_SECONDS = 0.25


class Service:
    """Model, events and metrics of one worker. Times come from `clock`, durations from `ticks` (s)."""

    def __init__(
        self,
        settings: ServiceSettings,
        clock: Callable[[], datetime],
        ticks: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.telemetry = Telemetry(settings.metrics)
        self.keeper = Keeper(settings, clock, self._taken)
        self._answering = Places("answers", settings.capacity, self.telemetry)
        self._storing = Places("events", settings.capacity, self.telemetry)
        self._encoding = Places("texts", settings.capacity, self.telemetry)
        self._clock = clock
        self.ticks = ticks
        self._journal = Journal(settings.journal)
        self._today = Today(settings.journal)
        self._turns = Turns()
        # What may take longer than a list; the loop goes on meanwhile, no list is made.
        self._longer = ThreadPoolExecutor(1, "segue-longer")
        # Loading the encoder takes seconds: no list waits behind a text.
        self._texts = ThreadPoolExecutor(1, "segue-text")
        # The journal lets threads that wait for the disk share one flush.
        self._writes = ThreadPoolExecutor(_WRITERS, "segue-journal")
        self._counts: asyncio.TimerHandle | None = None
        # When the day's events were looked at: by ticks, long ago.
        self._looked = -math.inf
        self._committer = Committer(self._journal, self._writes, self.telemetry.unlogged.inc, ticks)

    def start(self) -> None:
        """Load the model and watch for others; read the running day before anybody waits for it. On the
        event loop that will serve."""
        self._today.refresh()
        self.keeper.start()
        self._show_counts()

    def _show_counts(self) -> None:
        # The next one first: an error of one page of counts must not end them for good.
        self._counts = asyncio.get_running_loop().call_later(_SHOWN_SECONDS, self._show_counts)
        self.telemetry.flush()

    async def stop(self) -> None:
        """Finish what is under way and let go of the journal."""
        await self.written()
        if self._counts is not None:
            self._counts.cancel()
        self.telemetry.flush()
        self.keeper.stop()
        self._texts.shutdown()
        self._longer.shutdown()
        self._writes.shutdown()
        self._journal.close()

    def _taken(self, new: Served, former: Served | None) -> None:
        before = (former.version, former.state_day.isoformat()) if former else None
        self.telemetry.serving(new.version, new.state_day.isoformat(), before)

    @property
    def problem(self) -> str | None:
        """Why the service is not ready, None where it is."""
        problem = self.keeper.problem or self._committer.problem
        if problem is None and not self.keeper.is_watching:
            problem = (
                "expected the watch for new models to run, found it ended; restart the service"
            )
        self.telemetry.ready.set(0 if problem else 1)
        return problem

    def served(self) -> Served:
        """The model in service.

        Raises:
            Refusal: 503, none could be loaded yet.
        """
        served = self.keeper.current
        if served is None:
            raise not_ready(self.problem or "no model is loaded yet")
        return served

    def now(self, served: Served) -> datetime:
        """The service's time."""
        return moment(self.settings, served, self._clock()).astimezone(UTC)

    async def list_for(
        self,
        asked: tuple[str, str, str | None, datetime | None, Sequence[str]],
        k: int,
        wishes: Wishes,
        started: float,
        *,
        contributions: bool,
    ) -> bytes:
        """The answer (schemas.Answer) as JSON for (surface, request id, user, time or None, session), its
        impressions handed over to the journal.

        An answer does not wait for the disk (a flush takes 0.2 to 8 ms and serves no listener): a kill may
        lose the impressions of the last tenth of a second. Events are durable before they are acknowledged.

        Raises:
            Refusal: 503 no model or no place, 409 a time that the state cannot answer for.
        """
        served = self.served()
        surface, request_id, user_id, at, session = asked
        now = self.now(served)
        when = admitted(at, served, now)
        pace = Deadline(started, self.settings.deadline_ms / 1_000, self.ticks)

        with self._answering.taken():
            async with self._turns:
                pace.begin()
                await self._day_is_there(served, when)
                today = self._listens_today(user_id, when)
                question = Asked(surface, request_id, user_id, when, session, today)
                pace.passed("events")
                listed = answer_one(
                    served, question, k, wishes, pace, now, contributions=contributions
                )
                answer = self._given_out(listed, pace, now)
        self.telemetry.answered(surface, pace.stages, listed.fallback, listed.found)
        return answer

    async def _day_is_there(self, served: Served, when: datetime) -> None:
        """A day not asked for lately, and what others may have stored since the last look, is read aside: that may take
        seconds, in which the loop must go on."""
        late = self.ticks() - self._looked > _LOOKED_SECONDS
        if not late and served.holds(when.date()) and self._today.holds(when.date()):
            return

        def made() -> None:
            served.on(when.date())
            self._today.refresh()
            self._today.listens("", when)

        await finished(asyncio.get_running_loop().run_in_executor(self._longer, made))
        self._looked = self.ticks()

    def _given_out(self, listed: Listed, pace: Deadline, now: datetime) -> bytes:
        if len(listed.shown):
            self._committer.hand_over(listed.shown, now)
        pace.passed("log")
        answer = orjson.dumps(listed.fields)
        pace.passed("serialisation")
        return answer

    def _listens_today(self, user_id: str | None, at: datetime) -> tuple[list[str], list[bool]]:
        if user_id is None:
            return [], []
        self._today.refresh()
        self._looked = self.ticks()
        listens = self._today.listens(user_id, at)
        return listens.track_ids, listens.skipped

    async def _aside(self, work: Callable[[], T]) -> T:
        """What `work` returns, made in its turn. Raises Refusal: 503, no place."""
        with self._answering.taken():
            async with self._turns:
                return await finished(
                    asyncio.get_running_loop().run_in_executor(self._longer, work)
                )

    async def written(self) -> None:
        """Return once the impressions of all answers are in the journal."""
        await self._committer.finish()

    async def take_events(self, rows: Sequence[Mapping[str, object]]) -> Appended:
        """Judge and store events; durable when this returns.

        Raises:
            Refusal: 503, no model (and with it no time), no place, or the disk refused.
        """
        received_at = self.now(self.served())
        with self._storing.taken():
            try:
                appended = await self._committer.append(rows, received_at)
            except (OSError, SegueError) as error:
                raise not_ready(f"events cannot be stored: {error}") from error
        self.telemetry.events.labels("accepted").inc(appended.accepted)
        self.telemetry.events.labels("already_known").inc(appended.already_known)
        self.telemetry.events.labels("rejected").inc(len(appended.rejected))
        return appended

    async def similar_to(
        self, track_id: str | None, text: str | None, k: int, wishes: Wishes
    ) -> dict[str, object]:
        """Nearest tracks of a track or of words.

        Raises:
            Refusal: see ml.serving.service.similar.
        """
        served = self.served()
        state = served.recommender.state
        loop = asyncio.get_running_loop()
        encoded = None
        if track_id is None:
            with self._encoding.taken():
                encoded = await loop.run_in_executor(self._texts, text_vector, served, text or "")

        def found() -> list[dict[str, object]]:
            query = track_vector(served, track_id or "") if encoded is None else encoded
            itself = -1 if track_id is None else state.track_index[track_id]
            near = neighbours(state, bundle_vectors(served), query, k, wishes, itself)
            rows = zip(near.rank.tolist(), near.track.tolist(), near.score.tolist(), strict=True)
            return [
                {"rank": rank, **described(state, track), "score": score}
                for rank, track, score in rows
            ]

        tracks = await self._aside(found)
        version, day = served.version, served.state_day
        return {"model_version": version, "state_day": day, "tracks": tracks}

    async def explain(
        self,
        asked: tuple[str, str, str | None, datetime | None, Sequence[str]],
        k: int,
        wishes: Wishes,
        track_id: str,
    ) -> dict[str, object]:
        """One track behind the list of `list_for`; nothing is shown, so nothing is logged.

        Raises:
            Refusal: 503 no model or no place, 409 a time that the state cannot answer for, 404 the track.
        """
        served = self.served()
        surface, request_id, user_id, at, session = asked
        when = admitted(at, served, self.now(served))

        def found() -> dict[str, object]:
            today = self._listens_today(user_id, when)
            question = Asked(surface, request_id, user_id, when, session, today)
            return explain_one(served, question, k, wishes, track_id)

        return await self._aside(found)

    async def some_listeners(self, prefix: str, k: int) -> dict[str, object]:
        """Ids to choose from, see ml.serving.service.listeners."""
        served = self.served()
        state = served.recommender.state
        users = await self._aside(partial(known_listeners, state, prefix, k))
        return {"state_day": served.state_day, "known": len(state.user_ids), "users": users}

    async def taste_of(self, user_id: str) -> dict[str, object]:
        """What the system believes about a listener; unknown ones have no habits yet."""
        served = self.served()
        at = self.now(served)

        def found() -> dict[str, object]:
            self._today.refresh()
            return believed(served, user_id, at, self._today.listens(user_id, at))

        return await self._aside(found)
