"""Serving the application: one process, one event loop, a clean end on SIGTERM."""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable

import structlog
import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar

from tallymark.app import build
from tallymark.config import Settings
from tallymark.errors import BadSetting

_log = structlog.get_logger()

_BACKLOG = 4_096

#: Requests that may be in work at once; more wait in the kernel.
_AT_ONCE = 2_048


def serve(settings: Settings, announce: Callable[[str], None], app: Litestar | None = None) -> None:
    """Serves until SIGTERM or SIGINT; then takes no more, writes everything and returns.

    `announce` is told the server's URL once it listens. Errors: `BadSetting` where the port is taken, and those of
    `app.build`.
    """
    check_port(settings)
    app = app or build(settings)
    url = f"http://{settings.host}:{settings.port}"

    gc.collect()
    gc.freeze()  # what is built for good is not looked at again: a full collection takes 100 ms otherwise

    async def run() -> None:
        server = Server(
            app, address=settings.host, port=settings.port, interface=Interfaces.ASGI, backlog=_BACKLOG,
            backpressure=_AT_ONCE, log_enabled=False, websockets=False,
        )  # fmt: skip
        loop = asyncio.get_running_loop()
        end: Callable[[], None] = server.stop

        def stop() -> None:
            """Ends the server; that it was told so again, while it writes what it has, changes nothing."""
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)
            end()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        serving = asyncio.create_task(server.serve())
        await _listening(settings, serving)
        if not serving.done():
            announce(url)
            _log.info("serving", url=url)
        await serving
        _log.info("stopped")

    uvloop.run(run())


async def _listening(settings: Settings, serving: "asyncio.Task[None]") -> None:
    """Returns when the server takes connections, or has ended."""
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(settings.host, settings.port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


def check_port(settings: Settings) -> None:
    """Raises `BadSetting` where the port can't be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            message = f"TALLYMARK_PORT {settings.port} can't be used on {settings.host}: {error.strerror}."
            raise BadSetting(message, field="TALLYMARK_PORT") from None
