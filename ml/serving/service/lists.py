"""Home and Now Playing from their bytes to their bytes, past the framework.

Belongs here: the short way of the calls that the service is made for. Does not belong here: their
description, and what is answered to a wrong call (app).

The framework takes 0.4 ms to find a route, solve what its handler depends on and build objects around
body and answer. Only right calls go the short way; a wrong one goes the framework's, which names what is
wrong.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ml.serving.service.errors import Refusal
from ml.serving.service.limits import REQUEST_ID, ROUTE, STARTED, replayed
from ml.serving.service.schemas import Filters, HomeRequest, NowPlayingRequest
from ml.serving.service.service import Service
from ml.serving.wishes import Wishes

# By path: the surface, and how its body is read.
LISTS: Mapping[str, tuple[str, type[HomeRequest]]] = {
    "/v1/home": ("home", HomeRequest),
    "/v1/now-playing": ("now_playing", NowPlayingRequest),
}
_JSON = b"application/json"


def wishes(filters: Filters) -> Wishes:
    """The filters as the Recommender knows them."""
    return Wishes(filters.explicit, tuple(filters.blocked_artists), tuple(filters.blocked_tracks))


async def listed(service: Service, scope: Scope, surface: str, body: HomeRequest) -> bytes:
    """The answer (schemas.Answer) as JSON.

    Raises:
        Refusal: see Service.list_for.
    """
    session = body.session_track_ids if isinstance(body, NowPlayingRequest) else []
    asked = (surface, scope[REQUEST_ID], body.user_id, body.at, session)
    return await service.list_for(
        asked, body.k, wishes(body.filters), scope[STARTED], contributions=body.contributions
    )


class ShortWay:
    """ASGI middleware behind the Guard: right calls for lists end here, all others go on."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in LISTS:
            await self._app(scope, receive, send)
            return
        # The Guard has read the whole body: it comes in one piece.
        message = await receive()
        surface, model = LISTS[scope["path"]]
        body = _understood(scope, message, model)
        if body is None:
            await self._app(scope, replayed(message, receive), send)
            return
        scope[ROUTE] = scope["path"]
        try:
            answer = await listed(self._service, scope, surface, body)
        except Refusal as refusal:
            await refusal.response(scope[REQUEST_ID])(scope, receive, send)
            return
        headers = [(b"content-length", b"%d" % len(answer)), (b"content-type", _JSON)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def _understood(scope: Scope, message: Message, model: type[HomeRequest]) -> HomeRequest | None:
    """The body, None where it is not as described."""
    kinds = [value for name, value in scope["headers"] if name == b"content-type"]
    if kinds != [_JSON]:
        return None
    try:
        fields: Any = orjson.loads(message["body"])
        return model.model_validate(fields)
    except (orjson.JSONDecodeError, ValidationError):
        return None
