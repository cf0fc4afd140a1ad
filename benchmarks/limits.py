"""What it costs to count requests: of keys and of addresses, in memory and with a Valkey, in processor time."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any, Final

from litestar import get
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from benchmarks.figures import Bench, Figure
from benchmarks.timing import processor_cost
from tallymark.access.buckets import Buckets
from tallymark.access.limiter import Limiter
from tallymark.access.shared_buckets import SharedBuckets
from tallymark.api.rate_limits import RateLimits, RequestLimits
from tallymark.cache.opening import open_cache
from tests.valkey import Running

#: The default limit of a key, and of an address here.
_A_MINUTE: Final = 12_000

#: Requests in a row of the same key or address: fewer than its limit.
_IN_A_ROW: Final = 5_000
_QUICK_IN_A_ROW: Final = 100

_ROUNDS: Final = 5
_SECRET: Final = b"of the benchmark"

#: The scope of a request of somebody with that number.
Sender = Callable[[int], Any]


def figures(bench: Bench, valkey: Running) -> list[Figure]:
    """What limits add to a request, finding out whether its key is known left aside."""
    shared = open_cache(valkey.url, _SECRET)
    in_memory = Limiter(Buckets())
    with_valkey = Limiter(Buckets(), SharedBuckets(shared.remote) if shared.remote else None)
    with asyncio.Runner() as runner:
        try:
            bare = _cost(bench, runner, _answer, _with_key)
            return [
                Figure(f"counted by {who}, {where}", _cost(bench, runner, _counted(limiter), sender) - bare, "µs",
                       note="added to a request, in processor time")
                for where, limiter in (("in memory", in_memory), ("with a Valkey", with_valkey))
                for who, sender in (("key", _with_key), ("address", _from_address))
            ]  # fmt: skip
        finally:
            runner.run(shared.close())


def _counted(limiter: Limiter) -> ASGIApp:
    """The bare answer behind limits."""
    limits = RequestLimits.of(_A_MINUTE, _A_MINUTE, 0)
    return RateLimits(limits, limiter, _SECRET, lambda _: True, 0).questions(_answer)


def _cost(bench: Bench, runner: asyncio.Runner, app: ASGIApp, sender: Sender) -> float:
    """Microseconds of a request; every round is of somebody else, who has a full bucket."""
    in_a_row = _QUICK_IN_A_ROW if bench.quick else _IN_A_ROW
    numbers = count()

    async def ask(scope: Any) -> None:
        for _ in range(in_a_row):
            await app(scope, _receive, _drop)

    return processor_cost(lambda: runner.run(ask(sender(next(numbers)))), in_a_row, _ROUNDS)


@get("/")
async def _question() -> None:
    """A route that is counted as any other."""


def _with_key(number: int) -> Any:
    return _scope([(b"authorization", b"Bearer key-%d" % number)], "127.0.0.1")


def _from_address(number: int) -> Any:
    return _scope([], f"10.0.0.{number}")


def _scope(headers: list[tuple[bytes, bytes]], address: str) -> dict[str, Any]:
    return {"type": "http", "headers": headers, "client": (address, 1), "route_handler": _question}


async def _answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def _receive() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _drop(_message: Message) -> None:
    """Nobody reads the answer."""
