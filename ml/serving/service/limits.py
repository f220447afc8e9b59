"""What the service bears: who may call, how often, how much, how many at once.

Belongs here: the gate before every handler. Does not belong here: the handlers (app).
"""

import asyncio
import hmac
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ml.serving.service.errors import Refusal, busy
from ml.serving.service.settings import ServiceSettings
from ml.serving.service.telemetry import Telemetry

# Whoever looks after the process asks without a token and is never turned away.
OPEN = frozenset({"/health", "/ready"})
# A page without data, which asks for the token itself.
ROOM = "/"
REQUEST_ID = "segue.request_id"
STARTED = "segue.started"
# The path of a route that was taken past the router.
ROUTE = "segue.route"
# Client addresses whose rate is remembered.
_CLIENTS = 10_000


class Places:
    """A bounded number of calls of a kind under way; what comes beyond is turned away at once."""

    def __init__(self, kind: str, capacity: int, telemetry: Telemetry) -> None:
        self._kind = kind
        self._capacity = capacity
        self._taken = 0
        self._telemetry = telemetry

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a place.

        Raises:
            Refusal: 503, none is free.
        """
        if self._taken >= self._capacity:
            self._telemetry.shed.labels(self._kind).inc()
            raise busy()
        self._taken += 1
        self._telemetry.under_way(self._kind, self._taken)
        try:
            yield
        finally:
            self._taken -= 1
            self._telemetry.under_way(self._kind, self._taken)


class Rates:
    """A bucket of one second's calls for each client address, refilled all the time."""

    def __init__(self, rate: float, ticks: Callable[[], float]) -> None:
        self._rate = rate
        self._ticks = ticks
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admits(self, client: str) -> bool:
        """Whether the client may call now; a call that may takes one from its bucket."""
        if self._rate <= 0:
            return True
        now = self._ticks()
        left, since = self._left.pop(client, (max(self._rate, 1.0), now))
        left = min(max(self._rate, 1.0), left + (now - since) * self._rate)
        admitted = left >= 1.0
        self._left[client] = (left - 1.0 if admitted else left, now)
        if len(self._left) > _CLIENTS:
            self._left.popitem(last=False)
        return admitted


class Guard:
    """ASGI middleware: request id, token, rate, body within its bounds, and the counting of calls."""

    def __init__(
        self,
        app: ASGIApp,
        settings: ServiceSettings,
        telemetry: Telemetry,
        ticks: Callable[[], float],
    ) -> None:
        self._app = app
        self._settings = settings
        self._telemetry = telemetry
        self._ticks = ticks
        self._rates = Rates(settings.rate, ticks)
        self._expected = f"Bearer {settings.token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, request_id = self._ticks(), uuid.uuid4().hex
        scope[REQUEST_ID], scope[STARTED] = request_id, started
        status = 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            self._admit(scope)
            body = await self._body(scope, receive)
        except Refusal as refusal:
            await refusal.response(request_id)(scope, receive, sent)
        else:
            whole = {"type": "http.request", "body": body, "more_body": False}
            await self._app(scope, replayed(whole, receive), sent)
        finally:
            self._count(scope, status, self._ticks() - started)

    def _admit(self, scope: Scope) -> None:
        if scope["path"] in OPEN:
            return
        # Before the token is looked at: wrong ones are guesses, and count as calls.
        client = scope["client"][0] if scope.get("client") else ""
        if not self._rates.admits(client):
            self._telemetry.shed.labels("rate").inc()
            message = f"expected at most {self._settings.rate:g} calls a second, found more"
            raise Refusal(429, "too_many_requests", message, {"Retry-After": "1"})
        headers = dict(scope["headers"])
        needs_token = self._settings.token and scope["path"] != ROOM
        if needs_token and not hmac.compare_digest(
            headers.get(b"authorization", b""), self._expected
        ):
            raise Refusal(
                401,
                "unauthorized",
                "expected a bearer token in Authorization, found none that is right",
                {"WWW-Authenticate": "Bearer"},
            )

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body, read before any handler begins: a slow client holds no place."""
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return b""
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._settings.body_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                return await self._read(receive)
        except TimeoutError as error:
            message = (
                f"expected a body within {self._settings.body_seconds:g} s, found it unfinished"
            )
            raise Refusal(408, "too_slow", message, {"Connection": "close"}) from error

    async def _read(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal(400, "gone", "expected a whole body, found the client gone")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._settings.body_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return b"".join(parts)

    def _too_large(self) -> Refusal:
        limit = self._settings.body_bytes
        message = f"expected a body of at most {limit} bytes, found a larger one"
        return Refusal(413, "too_large", message, {"Connection": "close"})

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        # The route's pattern, not the address: a label for every listener would never end.
        path = scope.get(ROUTE) or getattr(scope.get("route"), "path", "other")
        self._telemetry.called(str(path), status, seconds)


def replayed(message: Message, receive: Receive) -> Receive:
    """A receive that gives a message that came before, then what really comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return message

    return replay
