"""`POST /ab/v1/events`: batches of events from apps. A bare ASGI application, as for `/v1/events`."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from litestar import asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Scope, Send

from tallymark.api.intake import answer, client_address, headers_of, plain_body
from tallymark.api.services import Services
from tallymark.ingest.receive import Sender
from tallymark.packs.ab.contract import CONTRACT, EXCEPTION_HANDLERS
from tallymark.packs.ab.wire import decode
from tallymark.packs.loose import told

PATH: Final = "/ab/v1/events"


@dataclass(frozen=True)
class Capture:
    """Takes in what apps send."""

    here: Services

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. Errors are those of the contract, told by its exception handlers."""
        if scope.get("method") != "POST":
            raise MethodNotAllowedException(headers={"Allow": "POST"})
        headers = headers_of(scope)
        body = await plain_body(receive, headers, self.here.settings.max_body_bytes)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        sent = decode(body)
        named = sent.project or query.get(CONTRACT.field, [None])[0]
        project = CONTRACT.sent_to(self.here, scope, query.get("key", [None])[0], named)
        address = client_address(scope, headers, self.here.settings.trusted_proxies)
        sender = Sender(address, headers.get(b"user-agent", b"").decode("latin-1"))
        receipt = await self.here.receiver.take(sent.decoded, body, project, sender)
        await answer(send, *told(receipt), [])


def ab_events(here: Services) -> ASGIRouteHandler:
    """The endpoint."""
    capture = Capture(here)

    @asgi(PATH, is_mount=False, copy_scope=False, exception_handlers=EXCEPTION_HANDLERS)
    async def events(scope: Scope, receive: Receive, send: Send) -> None:
        await capture.serve(scope, receive, send)

    return events
