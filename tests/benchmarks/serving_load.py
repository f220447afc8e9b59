"""An open-loop load generator: calls leave when they are due, whether earlier ones came back or not.

Belongs here: HTTP/1.1 over kept connections, arrivals, what became of each call. Does not belong here: which
load is put on what, or bars (bench_serving).

A call's latency counts from the instant it was due, not from when it left: a generator that waits for the
slow ones hides exactly those.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# Connections opened before the first call; more are opened when all are taken.
_OPENED = 32
_MOST = 512
# Seconds after which a call without an answer has failed.
_PATIENCE = 10.0
# No answer: refused, closed or too late.
FAILED = 0


@dataclass(frozen=True, slots=True)
class Calls:
    """What became of n calls: `due` and `done` float64 (n) seconds from the start, `status` int64 (n),
    FAILED where nothing came; `bodies` of the answered ones where they were kept."""

    due: NDArray[np.float64]
    done: NDArray[np.float64]
    status: NDArray[np.int64]
    bodies: list[bytes] = field(default_factory=list, repr=False)

    @property
    def milliseconds(self) -> NDArray[np.float64]:
        """Latencies of the calls answered with 200."""
        return (self.done - self.due)[self.status == 200] * 1e3

    def percentile(self, share: float) -> float:
        """A percentile of these latencies in ms, nan where there are none."""
        found = self.milliseconds
        return float(np.percentile(found, share)) if len(found) else float("nan")

    def count(self, status: int) -> int:
        """Calls that ended so."""
        return int(np.count_nonzero(self.status == status))


def call_bytes(method: str, path: str, body: bytes = b"") -> bytes:
    """One request as it goes over the wire."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class _Connection(asyncio.Protocol):
    """One kept connection with at most one call under way."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("closed by the server"))
        self._transport = None

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def call(self, data: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        answer = asyncio.get_running_loop().create_future()
        if self._transport is None:
            answer.set_exception(ConnectionResetError("closed by the server"))
            return answer
        self._answer, self._buffer = answer, b""
        self._transport.write(data)
        return answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found or self._answer is None or self._answer.done():
            return
        lower = head.lower()
        length = 0
        if b"content-length:" in lower:
            length = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
        if len(rest) >= length:
            if b"connection: close" in lower:
                self.close()
            self._answer.set_result((int(head[9:12]), rest[:length]))


class Client:
    """Kept connections to one port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: deque[_Connection] = deque()
        self._all: list[_Connection] = []

    async def __aenter__(self) -> "Client":
        # One call on each before the next is opened: the worker that first wakes up accepts all that wait.
        for _ in range(_OPENED):
            opened = await self._open()
            await opened.call(call_bytes("GET", "/health"))
            self._free.append(opened)
        return self

    async def __aexit__(self, *_: object) -> None:
        for one in self._all:
            one.close()

    async def _open(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(_Connection, "127.0.0.1", self._port)
        self._all.append(made)
        return made

    async def ask(self, data: bytes) -> tuple[int, bytes]:
        """(status, body) of one call; FAILED where nothing came."""
        try:
            # The one that rested longest: the calls spread over all workers.
            while self._free and not self._free[0].usable:
                self._free.popleft()
            if not self._free and len(self._all) >= _MOST:
                return FAILED, b""
            taken = self._free.popleft() if self._free else await self._open()
            async with asyncio.timeout(_PATIENCE):
                answer = await taken.call(data)
            self._free.append(taken)
        except OSError:
            return FAILED, b""
        return answer


def arrivals(rate: float, seconds: float, seed: int) -> NDArray[np.float64]:
    """Instants of a Poisson process, float64 seconds ascending."""
    gaps = np.random.default_rng(seed).exponential(1.0 / rate, int(rate * seconds * 1.2) + 20)
    at = np.cumsum(gaps)
    return at[at < seconds]


async def load(
    client: Client,
    wire: Sequence[bytes],
    rate: float,
    seconds: float,
    seed: int,
    *,
    keep: bool = False,
) -> Calls:
    """Put `rate` calls a second on the service for `seconds`; `wire` are the calls, in turn."""
    due = arrivals(rate, seconds, seed)
    done, status = np.full(len(due), np.nan), np.zeros(len(due), dtype=np.int64)
    bodies: list[bytes] = []
    began = time.perf_counter()

    async def one(number: int) -> None:
        status[number], body = await client.ask(wire[number % len(wire)])
        done[number] = time.perf_counter() - began
        if keep and status[number] == 200:
            bodies.append(body)

    async with asyncio.TaskGroup() as group:
        for number, at in enumerate(due):
            wait = at - (time.perf_counter() - began)
            if wait > 0:
                await asyncio.sleep(wait)
            group.create_task(one(number))
    return Calls(due, done, status, bodies)
