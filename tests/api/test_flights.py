"""Work that several ask for at once is done once, whatever becomes of those who ask."""

import asyncio

import pytest

from tallymark.api.flights import Flights


class Work:
    """Something that takes until it is let go; counts how often it was begun."""

    def __init__(self, fails: bool = False) -> None:
        self.begun = 0
        self.go = asyncio.Event()
        self._fails = fails

    async def __call__(self) -> int:
        self.begun += 1
        await self.go.wait()
        if self._fails:
            raise LookupError("nothing there")
        return self.begun


async def asking(flights: Flights[int], work: Work, n: int) -> list["asyncio.Task[int]"]:
    tasks = [asyncio.create_task(flights.join("it", work)) for _ in range(n)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


def test_all_get_what_one_began_and_later_ones_begin_anew() -> None:
    async def whole() -> None:
        flights, work = Flights[int](), Work()
        tasks = await asking(flights, work, 20)
        work.go.set()
        assert await asyncio.gather(*tasks) == [1] * 20
        assert await flights.join("it", work) == 2

    asyncio.run(whole())


def test_whoever_began_it_may_leave() -> None:
    async def whole() -> None:
        flights, work = Flights[int](), Work()
        first, *others = await asking(flights, work, 3)
        first.cancel()
        await asyncio.sleep(0)
        work.go.set()
        assert await asyncio.gather(*others) == [1, 1]
        assert first.cancelled()

    asyncio.run(whole())


def test_a_failure_is_told_to_all_and_not_kept() -> None:
    async def whole() -> None:
        flights, work = Flights[int](), Work(fails=True)
        tasks = await asking(flights, work, 3)
        work.go.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(error) for error in found] == [LookupError] * 3
        with pytest.raises(LookupError):
            await flights.join("it", work)
        assert work.begun == 2

    asyncio.run(whole())
