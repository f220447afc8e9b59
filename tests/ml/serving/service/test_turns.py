"""One answer at a time, and what is ready leaves before the next is begun."""

import asyncio
import threading

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
