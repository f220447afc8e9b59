"""One answer at a time, on the thread of the event loop.

Belongs here: whose turn it is. Does not belong here: how many may wait (limits).

A worker has one thread's worth of work: a second thread would only take the interpreter from the first,
and handing an answer over and back costs 0.1 ms and two waits of the scheduler.
"""

import asyncio
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")


class Turns:
    """`async with turns:` waits for one's turn, in the order of arrival.

    After a turn the loop goes round once before the next: what was answered leaves, and what came in
    meanwhile finds its place or is turned away.
    """

    def __init__(self) -> None:
        self._taken = asyncio.Lock()

    async def __aenter__(self) -> None:
        await self._taken.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.get_running_loop().call_soon(self._taken.release)


async def finished(future: "asyncio.Future[T]") -> T:
    """What the future brings. A caller who is cancelled waits for its end all the same: the turn is not free while a thread
    goes on."""
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        raise
