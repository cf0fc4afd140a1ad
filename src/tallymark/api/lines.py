"""Long work as an answer of lines of JSON (`application/x-ndjson`), each as soon as there is something to say."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from litestar.response import Stream

from tallymark.errors import TallymarkError

#: Says a line.
Say = Callable[[Any], None]


def lines_of(work: Callable[[Say], None], failed: str) -> Stream:
    """The lines that work says while it runs in a thread; where it fails, the last one tells why.

    `failed` is what is told of errors that only the log should tell more of. Work goes on where nobody listens.
    """
    return Stream(_lines(work, failed), media_type="application/x-ndjson")


async def _lines(work: Callable[[Say], None], failed: str) -> AsyncIterator[bytes]:
    loop, said = asyncio.get_running_loop(), asyncio.Queue[Any]()
    gone, over = threading.Event(), object()

    def say(line: Any) -> None:
        if not gone.is_set():
            loop.call_soon_threadsafe(said.put_nowait, line)

    running = asyncio.create_task(asyncio.to_thread(work, say))
    running.add_done_callback(lambda _: said.put_nowait(over))
    try:
        while (line := await said.get()) is not over:
            yield msgspec.json.encode(line) + b"\n"
    finally:
        gone.set()
    with contextlib.suppress(asyncio.CancelledError):
        error = running.exception()
        if error is not None:
            known = error if isinstance(error, TallymarkError) else TallymarkError(failed)
            yield msgspec.json.encode(known.body()) + b"\n"
