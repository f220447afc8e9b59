"""One answer at a time, and what is ready leaves before the next is begun."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from ml.serving.service.loading import Served
from ml.serving.service.turns import Turns


def test_turns_are_taken_one_by_one_in_the_order_of_arrival():
    done = []

    async def one(turns, name):
        async with turns:
            done.append(f"{name} begins")
            await asyncio.sleep(0)
            done.append(f"{name} ends")

    async def all_three():
        turns = Turns()
        await asyncio.gather(*(one(turns, name) for name in "abc"))

    asyncio.run(all_three())
    assert done == [f"{name} {part}" for name in "abc" for part in ("begins", "ends")]


def test_between_two_turns_the_loop_goes_round():
    done = []

    async def one(turns, name):
        async with turns:
            done.append(name)
            # As a transport writes: with what the loop does next.
            asyncio.get_running_loop().call_soon(done.append, f"{name} has left")

    async def both():
        turns = Turns()
        await asyncio.gather(one(turns, "a"), one(turns, "b"))

    asyncio.run(both())
    assert done[:3] == ["a", "a has left", "b"]


def test_a_turn_ends_with_an_error_too():
    async def broken(turns):
        async with turns:
            raise KeyError

    async def both():
        turns = Turns()
        found = await asyncio.gather(broken(turns), broken(turns), return_exceptions=True)
        return [type(one) for one in found]

    assert asyncio.run(both()) == [KeyError, KeyError]


def test_what_takes_longer_holds_its_turn_and_the_loop_goes_on(client):
    begun, may_end = threading.Event(), threading.Event()

    def long():
        begun.set()
        return may_end.wait(60)

    aside = client.portal.start_task_soon(client.service._aside, long)
    assert begun.wait(60)
    waiting = client.portal.start_task_soon(client.service._aside, int)
    assert client.get("/health").status_code == 200
    assert not waiting.done()
    may_end.set()
    assert (aside.result(60), waiting.result(60)) == (True, 0)


def test_a_day_that_nobody_asked_for_is_made_beside_the_loop(client, clock, monkeypatch):
    clock.later(days=1)
    begun, may_end, made = threading.Event(), threading.Event(), Served.on

    def slow(served, day):
        if not served.holds(day):
            begun.set()
            assert may_end.wait(60)
        return made(served, day)

    monkeypatch.setattr(Served, "on", slow)
    monkeypatch.setattr(Served, "prepare", lambda served, now: None)
    client.service.keeper.current._later.clear()
    with ThreadPoolExecutor(1) as asking:
        asked = asking.submit(client.ask, user_id="u1", k=1)
        assert begun.wait(60)
        assert client.get("/health").status_code == 200
        assert not asked.done()
        may_end.set()
        assert asked.result(60)["at"].startswith("2026-03-11")
