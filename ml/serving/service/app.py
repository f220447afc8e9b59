"""The HTTP service: routes, their models, their errors.

Belongs here: FastAPI. Does not belong here: what a handler does (service), what is refused before it
(limits).
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from ml.serving.service.errors import Refusal, printable
from ml.serving.service.facts import model_facts
from ml.serving.service.limits import REQUEST_ID, Guard
from ml.serving.service.lists import ShortWay, listed, wishes
from ml.serving.service.room.page import room
from ml.serving.service.room_schemas import ExplainAnswer, ExplainRequest, ListenersAnswer
from ml.serving.service.schemas import (
    MOST_TRACKS,
    Answer,
    Error,
    EventsAnswer,
    EventsRequest,
    Health,
    HomeRequest,
    ModelAnswer,
    NowPlayingRequest,
    SimilarAnswer,
    SimilarToText,
    SimilarToTrack,
    TasteAnswer,
)
from ml.serving.service.service import Service
from ml.serving.service.telemetry import PAGE_TYPE

_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": Error, "description": "The body is no JSON, or the client went away."},
    401: {"model": Error, "description": "The token is missing or wrong."},
    404: {"model": Error, "description": "There is nothing at this address."},
    405: {"model": Error, "description": "Not with this method."},
    408: {"model": Error, "description": "The body did not come in time."},
    413: {"model": Error, "description": "The body is too large."},
    422: {"model": Error, "description": "A field is not what it should be; details name it."},
    429: {"model": Error, "description": "Too many calls a second from this address."},
    503: {"model": Error, "description": "No model, or no free place; see Retry-After."},
}
_LISTS = _ERRORS | {409: {"model": Error, "description": "No state answers for this time."}}
_SIMILAR: dict[int | str, dict[str, Any]] = {
    409: {"model": Error, "description": "The model, track or text has no words, or no encoder."},
}
_NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": Health, "description": "Why not."}}


class _StrictJson(Request):
    """Reads JSON as the standard has it: no NaN, no halves of surrogate pairs."""

    async def json(self) -> Any:  # noqa: ANN401 - Starlette's signature
        """The body."""
        return orjson.loads(await self.body())


class _Route(APIRoute):
    """A route whose request is a _StrictJson."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with that request."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await inner(_StrictJson(request.scope, request.receive))

        return handler


def _json(fields: object, status: int = 200) -> Response:
    return Response(orjson.dumps(fields), status, media_type="application/json")


def _answers(app: FastAPI, service: Service) -> None:
    async def answer(request: Request, surface: str, body: HomeRequest) -> Response:
        content = await listed(service, request.scope, surface, body)
        return Response(content, media_type="application/json")

    @app.post("/v1/home", response_model=Answer, responses=_LISTS, tags=["lists"])
    async def home(request: Request, body: HomeRequest) -> Response:
        """What to play now."""
        return await answer(request, "home", body)

    @app.post("/v1/now-playing", response_model=Answer, responses=_LISTS, tags=["lists"])
    async def now_playing(request: Request, body: NowPlayingRequest) -> Response:
        """What to play next in the running session."""
        return await answer(request, "now_playing", body)

    @app.post(
        "/v1/similar", response_model=SimilarAnswer, responses=_ERRORS | _SIMILAR, tags=["lists"]
    )
    async def similar(request: Request, body: SimilarToTrack | SimilarToText) -> Response:
        """Tracks whose words are near those of a track, or near a text."""
        if isinstance(body, SimilarToTrack):
            track_id, text = body.track_id, None
        else:
            track_id, text = None, body.text
        found = await service.similar_to(track_id, text, body.k, wishes(body.filters))
        return _json({"request_id": request.scope[REQUEST_ID], **found})


def _explanations(app: FastAPI, service: Service) -> None:
    @app.post("/v1/explain", response_model=ExplainAnswer, responses=_LISTS, tags=["lists"])
    async def explain(request: Request, body: ExplainRequest) -> Response:
        """Why a track stands where it stands in the answer to a request, or why it does not."""
        own, request_id = body.request, request.scope[REQUEST_ID]
        session = own.session_track_ids if body.surface == "now_playing" else []
        asked = (body.surface, request_id, own.user_id, own.at, session)
        found = await service.explain(asked, own.k, wishes(own.filters), body.track_id)
        return _json({"request_id": request_id, **found})


def _listeners(app: FastAPI, service: Service) -> None:
    @app.get("/v1/users", response_model=ListenersAnswer, responses=_ERRORS, tags=["listeners"])
    async def users(
        prefix: Annotated[str, Query(max_length=256, description="How the ids begin.")] = "",
        k: Annotated[int, Query(ge=1, le=MOST_TRACKS, description="Listeners wanted.")] = 8,
    ) -> Response:
        """Known listeners: by the beginning of their ids, or a few from very busy to hardly there."""
        return _json(await service.some_listeners(prefix, k))

    @app.post(
        "/v1/events",
        response_model=EventsAnswer,
        status_code=202,
        responses=_ERRORS,
        tags=["listeners"],
    )
    async def events(request: Request, body: EventsRequest) -> Response:
        """Store listens and impressions; what is accepted is on the disk before the answer."""
        stored = await service.take_events(body.events)
        fields = {
            "request_id": request.scope[REQUEST_ID],
            "accepted": stored.accepted,
            "already_known": stored.already_known,
            "rejected": [{"index": one.index, "reason": one.reason} for one in stored.rejected],
        }
        return _json(fields, 202)

    @app.get(
        "/v1/users/{user_id}/taste",
        response_model=TasteAnswer,
        responses=_ERRORS,
        tags=["listeners"],
    )
    async def taste(user_id: Annotated[str, Path(min_length=1, max_length=256)]) -> Response:
        """What the system believes about a listener."""
        return _json(await service.taste_of(user_id))


def _looks(app: FastAPI, service: Service) -> None:
    @app.get("/", include_in_schema=False)
    async def listening_room() -> Response:
        """The listening room, for people."""
        page, headers = room()
        return Response(page, headers=headers, media_type="text/html")

    @app.get("/v1/model", response_model=ModelAnswer, responses=_ERRORS, tags=["service"])
    async def model() -> Response:
        """The model in service."""
        return _json(model_facts(service.served()))

    @app.get("/health", response_model=Health, tags=["service"])
    async def health() -> Response:
        """The process lives."""
        return _json({"status": "ok", "problem": None})

    @app.get("/ready", response_model=Health, responses=_NOT_READY, tags=["service"])
    async def ready() -> Response:
        """Whether to send it calls: the model in memory is the one on the disk, whole."""
        problem = service.problem
        status = "not ready" if problem else "ready"
        return _json({"status": status, "problem": problem}, 503 if problem else 200)

    @app.get("/metrics", response_class=Response, responses=_ERRORS, tags=["service"])
    async def metrics() -> Response:
        """Counters and histograms for Prometheus."""
        return Response(service.telemetry.page(), media_type=PAGE_TYPE)


def _errors(app: FastAPI) -> None:
    def request_id(request: Request) -> str:
        return str(request.scope.get(REQUEST_ID, ""))

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> Response:
        return error.response(request_id(request))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        # Not what was sent: it may be long, and none of it is needed to mend it.
        details = [
            {
                "field": printable(".".join(str(part) for part in one["loc"])),
                "problem": printable(str(one["msg"])),
            }
            for one in error.errors()[:20]
        ]
        message = "expected a body as in /openapi.json, found other fields or values"
        return Refusal(422, "invalid", message).response(request_id(request), details)

    @app.exception_handler(HTTPException)
    async def refused_by_route(request: Request, error: HTTPException) -> Response:
        refusal = Refusal(error.status_code, "refused", str(error.detail), error.headers)
        return refusal.response(request_id(request))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        del error  # the server writes its trace to the log
        message = "expected an answer, found a fault of ours; the log has it by this request id"
        return Refusal(500, "fault", message).response(request_id(request))


def create_app(service: Service) -> FastAPI:
    """The service's application; its lifespan starts and stops the service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            await service.stop()

    # The pages of documentation load scripts from elsewhere; /openapi.json needs nothing. The framework's own
    # measuring looks at every call whether anybody asked for it; /metrics has what there is to say.
    app = FastAPI(
        title="Segue",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.router.route_class = _Route
    for part in (_answers, _explanations, _listeners, _looks):
        part(app, service)
    _errors(app)

    def short_way(inner: ASGIApp) -> ASGIApp:
        return ShortWay(inner, service)

    def guard(inner: ASGIApp) -> ASGIApp:
        return Guard(inner, service.settings, service.telemetry, service.ticks)

    # The last one added is the first one asked.
    app.add_middleware(short_way)
    app.add_middleware(guard)
    return app
