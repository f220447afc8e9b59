"""The load generator counts from the instant a call was due, and names what was not answered."""

import asyncio

import numpy as np
import pytest

from tests.benchmarks.bench_serving import steady_row
from tests.benchmarks.serving_load import FAILED, Calls, Client, arrivals, call_bytes, load

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def under(handle, work):
    """What `work(client)` gives against a server that answers each call by `handle(number)`."""
    numbers = iter(range(1_000_000))

    async def served(reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                answer = await handle(next(numbers))
                if answer is None:
                    break
                writer.write(answer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def run():
        server = await asyncio.start_server(served, "127.0.0.1", 0)
        async with server, Client(server.sockets[0].getsockname()[1]) as client:
            return await work(client)

    return asyncio.run(run())


def asked(rate=200.0, seconds=0.5, **more):
    wire = [call_bytes("GET", "/health")]
    return lambda client: load(client, wire, rate, seconds, seed=3, **more)


def test_calls_leave_when_due_and_their_answers_are_kept():
    async def handle(_):
        return OK

    calls = under(handle, asked(keep=True))
    assert calls.count(200) == len(calls.due) > 60
    assert set(calls.bodies) == {b"hi"}
    assert (calls.milliseconds > 0).all()


def test_a_stall_is_felt_by_every_call_that_was_due_meanwhile():
    stalled = asyncio.Event()

    async def handle(number):
        # 32 calls open the connections; the first of the load holds up all others for a quarter second.
        if number == 32:
            await asyncio.sleep(0.25)
            stalled.set()
        elif number > 32:
            await stalled.wait()
        return OK

    calls = under(handle, asked())
    first = calls.due[0]
    meanwhile = calls.due < first + 0.25
    waited = (calls.done - calls.due)[meanwhile]
    assert meanwhile.sum() > 20
    np.testing.assert_array_less(first + 0.24 - calls.due[meanwhile], waited)


def test_shed_and_dropped_calls_are_told_apart_from_answers():
    async def handle(number):
        if number < 32 or number % 3 == 0:
            return OK
        return BUSY if number % 3 == 1 else None

    calls = under(handle, asked())
    assert min(calls.count(200), calls.count(503), calls.count(FAILED)) > 10
    assert len(calls.milliseconds) == calls.count(200)


def test_arrivals_come_at_the_rate_and_not_evenly():
    at = arrivals(500.0, 20.0, seed=1)
    gaps = np.diff(at)
    assert len(at) == pytest.approx(10_000, rel=0.05)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)


@pytest.mark.parametrize(
    ("latency", "status", "missed"), [(4.0, 200, False), (6.0, 200, True), (4.0, 503, True)]
)
def test_a_bar_is_missed_by_slow_answers_and_by_none(latency, status, missed):
    due = np.arange(100) / 50
    statuses = np.full(100, 200)
    statuses[-1] = status
    calls = Calls(due, due + latency / 1e3, statuses)
    assert steady_row("home", 50, calls).missed is missed
